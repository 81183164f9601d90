#include "parse/prose_phrase.h"

#include <stdint.h>

#define PROSE(role, weight, action, text) \
    {PROSE_##role, PROSE_##weight, REPORT_ACTION_##action, DSND_STR_INIT(text)},

static const struct prose_phrase phrases[] = {
#include "parse/prose.def"
};

#undef PROSE

enum { PHRASE_COUNT = sizeof(phrases) / sizeof(*phrases) };

/* Letters, digits and all octets of other scripts. */
static bool is_word(char c)
{
    return dsnd_is_alpha(c) || dsnd_is_digit(c) || (unsigned char)c >= 0x80;
}

/* The octets of `text` at `at` that match the phrase; 0 where they do not. */
static size_t match_length(struct dsnd_str text, size_t at, struct dsnd_str phrase)
{
    size_t end = at;

    for (size_t i = 0; i < phrase.len; i++) {
        if (end >= text.len)
            return 0;
        if (phrase.ptr[i] == ' ' && dsnd_is_space(text.ptr[end])) {
            while (end < text.len && dsnd_is_space(text.ptr[end]))
                end++;
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
    char first = dsnd_lower(text.ptr[at]);
    size_t best = 0;

    for (size_t i = 0; i < PHRASE_COUNT; i++) {
        size_t length;

        if (dsnd_lower(phrases[i].text.ptr[0]) != first || !(roles & 1u << phrases[i].role))
            continue;
        length = match_length(text, at, phrases[i].text);
        if (length <= best)
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
