#include "parse/prose_phrase.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define PROSE(role, weight, action, text) \
    {PROSE_##role, PROSE_##weight, REPORT_ACTION_##action, DSND_STR_INIT(text)},

static const struct prose_phrase phrases[] = {
#include "parse/prose.def"
};

#undef PROSE

enum { PHRASE_COUNT = sizeof(phrases) / sizeof(*phrases) };

/* Phrases by their first two octets, as lists: most places in a text begin none. */
enum { BUCKETS = 1024, NO_PHRASE = PHRASE_COUNT };
static uint16_t buckets[BUCKETS];
static uint16_t next_phrase[PHRASE_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* White space is as good as a space, a capital as a small letter. */
static unsigned fold(char c)
{
    return (unsigned char)(dsnd_is_space(c) ? ' ' : dsnd_lower(c));
}

static size_t bucket_of(char first, char second)
{
    return (fold(first) * 31 + fold(second)) % BUCKETS;
}

static void fill_buckets(void)
{
    for (size_t i = 0; i < BUCKETS; i++)
        buckets[i] = NO_PHRASE;
    for (size_t i = 0; i < PHRASE_COUNT; i++) {
        uint16_t *bucket = &buckets[bucket_of(phrases[i].text.ptr[0], phrases[i].text.ptr[1])];

        next_phrase[i] = *bucket;
        *bucket = (uint16_t)i;
    }
}

/* Letters, digits and all octets of other scripts. */
static bool is_word(char c)
{
    return dsnd_is_alpha(c) || dsnd_is_digit(c) || (unsigned char)c >= 0x80;
}

/* Behind the white space at `at`, with one line end at the most: a phrase ends with its paragraph.
 */
static size_t skip_space(struct dsnd_str text, size_t at)
{
    bool ended = false;

    while (at < text.len && dsnd_is_space(text.ptr[at]) && !(ended && text.ptr[at] == '\n'))
        ended |= text.ptr[at++] == '\n';
    return at;
}

/* The octets of `text` at `at` that match the phrase; 0 where they do not. */
static size_t match_length(struct dsnd_str text, size_t at, struct dsnd_str phrase)
{
    size_t end = at;

    for (size_t i = 0; i < phrase.len; i++) {
        if (end >= text.len)
            return 0;
        if (phrase.ptr[i] == ' ' && dsnd_is_space(text.ptr[end])) {
            end = skip_space(text, end);
            continue;
        }
        if (dsnd_lower(text.ptr[end]) != dsnd_lower(phrase.ptr[i]))
            return 0;
        end++;
    }
    if ((dsnd_is_alpha(text.ptr[end - 1]) || dsnd_is_digit(text.ptr[end - 1])) && end < text.len &&
        (dsnd_is_alpha(text.ptr[end]) || dsnd_is_digit(text.ptr[end])))
        return 0;
    return end - at;
}

bool prose_phrase_at(struct dsnd_str text, size_t at, unsigned roles, struct prose_match *ret_match)
{
    size_t best = 0;
    size_t i;

    (void)pthread_once(&once, fill_buckets);
    if (at + 1 >= text.len)
        return false;
    for (i = buckets[bucket_of(text.ptr[at], text.ptr[at + 1])]; i != NO_PHRASE;
         i = next_phrase[i]) {
        size_t length;

        if (!(roles & 1u << phrases[i].role))
            continue;
        length = match_length(text, at, phrases[i].text);
        if (length < best || length == 0)
            continue;
        best = length;
        *ret_match = (struct prose_match){&phrases[i], at, at + length};
    }
    return best > 0;
}

bool prose_phrase_next(struct dsnd_str text, unsigned roles, size_t *at,
                       struct prose_match *ret_match)
{
    for (size_t i = *at; i < text.len; i++) {
        char c = text.ptr[i];
        bool begins = (unsigned char)c >= 0x80
                          ? (unsigned char)c >= 0xc0
                          : is_word(c) && (i == 0 || !is_word(text.ptr[i - 1]));

        if (begins && prose_phrase_at(text, i, roles, ret_match)) {
            *at = ret_match->end;
            return true;
        }
    }
    *at = text.len;
    return false;
}
