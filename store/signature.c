#include "store/signature.h"

#include <stdbool.h>
#include <string.h>

enum {
    SINGLE_WORD_MIN = 8,
    QUOTED_MAX = 66, /* RFC 5321 section 4.5.3.1.1, and the quotes */
};

static bool parts_words(char c)
{
    return (unsigned char)c <= ' ' || strchr("<>()[]{}\"';,=|", c) != NULL;
}

/* Octets of a quoted local part at `at`, as in "john doe"@example.net; 0 where there is none. */
static size_t quoted_local(struct dsnd_str text, size_t at)
{
    struct dsnd_str s = dsnd_str_slice(text, at, text.len);

    if (!s.len || s.ptr[0] != '"')
        return 0;
    for (size_t i = 1; i + 1 < s.len && i < QUOTED_MAX; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            return s.ptr[i + 1] == '@' ? i + 1 : 0;
    }
    return 0;
}

static bool names_one(struct dsnd_str word)
{
    bool digit = false;

    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] == '@')
            return true;
        digit = digit || (word.ptr[i] >= '0' && word.ptr[i] <= '9');
    }
    return digit && word.len >= SINGLE_WORD_MIN;
}

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c >= '0' && c <= '9' ? '0' : c;
}

/* Each run of digits becomes one: a number is the same whatever its length. */
static size_t add_word(char *out, size_t len, struct dsnd_str word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = fold(word.ptr[i]);

        if (c != '0' || i == 0 || out[len - 1] != '0')
            out[len++] = c;
    }
    return len;
}

/* The octets of `text` that fit into `max` without half a character. */
static size_t fitting(const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max && ((unsigned char)text[max] & 0xC0) == 0x80)
        max--;
    return max;
}

enum dsnd_err store_text_signature(struct dsnd_arena *arena, struct dsnd_str text,
                                   struct dsnd_str *ret_signature)
{
    char *out = dsnd_arena_alloc(arena, text.len + 1);
    size_t len = 0;

    if (!out)
        return DSND_ERR_NOMEM;
    for (size_t at = 0; at < text.len && len <= STORE_SIGNATURE_MAX;) {
        struct dsnd_str word;

        at += quoted_local(text, at);
        word = dsnd_str_make(text.ptr + at, 0);
        while (at < text.len && !parts_words(text.ptr[at])) {
            word.len++;
            at++;
        }
        if (word.len && !names_one(word)) {
            if (len)
                out[len++] = ' ';
            len = add_word(out, len, word);
        }
        at++;
    }
    *ret_signature = dsnd_str_make(out, fitting(out, len, STORE_SIGNATURE_MAX));
    return DSND_OK;
}

enum dsnd_err store_text_mask(struct dsnd_arena *arena, struct dsnd_str text,
                              struct dsnd_str *ret_masked)
{
    static const char mask[] = {'.', '.', '.'};
    char *out = dsnd_arena_alloc(arena, text.len + sizeof(mask) * (text.len / 2 + 1) + 1);
    size_t len = 0;

    if (!out)
        return DSND_ERR_NOMEM;
    for (size_t at = 0; at < text.len && len <= STORE_MASKED_MAX;) {
        size_t start = at;

        at += quoted_local(text, at);
        while (at < text.len && !parts_words(text.ptr[at]))
            at++;
        if (memchr(text.ptr + start, '@', at - start)) {
            memcpy(out + len, mask, sizeof(mask));
            len += sizeof(mask);
        } else {
            memcpy(out + len, text.ptr + start, at - start);
            len += at - start;
        }
        if (at < text.len)
            out[len++] = text.ptr[at++];
    }
    *ret_masked = dsnd_str_make(out, fitting(out, len, STORE_MASKED_MAX));
    return DSND_OK;
}
