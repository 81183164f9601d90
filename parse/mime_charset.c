#include "parse/mime_charset.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

enum { CHARSET_GROWTH = 4, REPLACEMENT_OCTETS = 3 };

size_t mime_charset_to_lf(char *octets, size_t len)
{
    size_t out = 0;

    if (!memchr(octets, '\r', len))
        return len;
    for (size_t i = 0; i < len; i++) {
        if (octets[i] == '\r' && i + 1 < len && octets[i + 1] == '\n')
            continue;
        octets[out++] = octets[i] == '\r' ? '\n' : octets[i];
    }
    return out;
}

enum dsnd_err mime_charset_convert(struct dsnd_arena *arena, iconv_t converter,
                                   struct dsnd_str text, struct dsnd_str *ret_text)
{
    size_t room = text.len > SIZE_MAX / CHARSET_GROWTH ? 0 : text.len * CHARSET_GROWTH;
    char *out = dsnd_arena_array(arena, room, 1);
    char *at = out;
    char *in = (char *)(uintptr_t)text.ptr; /* iconv reads it only */
    size_t left = text.len;

    *ret_text = text;
    if (!out)
        return DSND_ERR_NOMEM;
    while (left && iconv(converter, &in, &left, &at, &room) == (size_t)-1 && left && room) {
        *at++ = *in++;
        left--;
        room--;
    }
    *ret_text = dsnd_str_make(out, (size_t)(at - out));
    return DSND_OK;
}

enum dsnd_err mime_charset_repair(struct dsnd_arena *arena, struct dsnd_str text, bool *ret_defect,
                                  struct dsnd_str *ret_text)
{
    struct dsnd_str rest = text;
    char *out;
    size_t len = 0;

    *ret_text = text;
    if (utf8_valid(text))
        return DSND_OK;
    *ret_defect = true;
    out = dsnd_arena_array(arena, text.len, REPLACEMENT_OCTETS);
    if (!out)
        return DSND_ERR_NOMEM;
    while (rest.len) {
        size_t octets = utf8_next(rest, NULL);

        if (octets)
            memcpy(out + len, rest.ptr, octets);
        else
            memcpy(out + len, "\xef\xbf\xbd", REPLACEMENT_OCTETS);
        len += octets ? octets : REPLACEMENT_OCTETS;
        rest = dsnd_str_slice(rest, octets ? octets : 1, rest.len);
    }
    *ret_text = dsnd_str_make(out, len);
    return DSND_OK;
}
