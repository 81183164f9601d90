#include "parse/xtext.h"

#include "base/hex.h"

/* xtext hexadecimal digits are upper case only, so that "a+b" is left alone more often. */
static int xtext_value(char c)
{
    return c >= 'a' && c <= 'f' ? -1 : hex_value(c);
}

enum dsnd_err xtext_decode(struct dsnd_arena *arena, struct dsnd_str s, struct dsnd_str *ret_text)
{
    size_t len = 0;
    char *out;

    if (dsnd_str_chr(s, '+') == SIZE_MAX) {
        *ret_text = s;
        return DSND_OK;
    }
    out = dsnd_arena_alloc(arena, s.len);
    if (!out)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < s.len; i++) {
        int high = i + 2 < s.len && s.ptr[i] == '+' ? xtext_value(s.ptr[i + 1]) : -1;
        int low = high >= 0 ? xtext_value(s.ptr[i + 2]) : -1;
        int octet = high * 16 + low;

        /* Only printable ASCII is decoded: "bob+20@x" is more often a tag than a space. */
        if (low >= 0 && octet > 0x20 && octet < 0x7f) {
            out[len++] = (char)octet;
            i += 2;
        } else {
            out[len++] = s.ptr[i];
        }
    }
    *ret_text = dsnd_str_make(out, len);
    return DSND_OK;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* The code point of "\x{1F600}" at `at`; its length, or 0. RFC 6533: two to six digits. */
static size_t escape_at(struct dsnd_str s, size_t at, uint32_t *ret_char)
{
    size_t start = at;
    uint32_t value = 0;
    size_t digits = 0;

    if (s.len - at < 6 || s.ptr[at] != '\\' || dsnd_lower(s.ptr[at + 1]) != 'x' ||
        s.ptr[at + 2] != '{')
        return 0;
    for (at += 3; at < s.len && digits < 7 && hex_value(s.ptr[at]) >= 0; at++, digits++)
        value = value * 16 + (uint32_t)hex_value(s.ptr[at]);
    if (digits < 2 || digits > 6 || at >= s.len || s.ptr[at] != '}')
        return 0;
    if (value <= 0x20 || value == 0x7f || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 0;
    *ret_char = value;
    return at + 1 - start;
}

enum dsnd_err xtext_decode_utf8(struct dsnd_arena *arena, struct dsnd_str s,
                                struct dsnd_str *ret_text)
{
    size_t len = 0;
    char *out;

    if (dsnd_str_find(s, DSND_STR("\\x{")) == SIZE_MAX &&
        dsnd_str_find(s, DSND_STR("\\X{")) == SIZE_MAX) {
        *ret_text = s;
        return DSND_OK;
    }
    out = dsnd_arena_alloc(arena, s.len); /* an escape is never shorter than its octets */
    if (!out)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < s.len;) {
        uint32_t c = 0;
        size_t taken = escape_at(s, i, &c);

        if (taken)
            len += put_utf8(out + len, c);
        else
            out[len++] = s.ptr[i];
        i += taken ? taken : 1;
    }
    *ret_text = dsnd_str_make(out, len);
    return DSND_OK;
}
