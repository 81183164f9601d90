#include "api/encode.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum dsnd_err encode_base64url(struct dsnd_str octets, struct dsnd_buf *out)
{
    uint32_t held = 0;
    unsigned count = 0;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < octets.len && !err; i++) {
        held = held << 8 | (unsigned char)octets.ptr[i];
        count += 8;
        while (count >= 6 && !err) {
            count -= 6;
            err = dsnd_buf_add_char(out, alphabet[held >> count & 63]);
        }
        held &= (1u << count) - 1;
    }
    if (count > 0 && !err)
        err = dsnd_buf_add_char(out, alphabet[held << (6 - count) & 63]);
    return err;
}

enum dsnd_err encode_base64url_decode(struct dsnd_str text, struct dsnd_buf *out)
{
    uint32_t held = 0;
    unsigned count = 0;

    for (size_t i = 0; i < text.len; i++) {
        size_t value = dsnd_str_chr(dsnd_str_of(alphabet), text.ptr[i]);
        enum dsnd_err err;

        if (value == SIZE_MAX)
            return DSND_ERR_SYNTAX;
        held = held << 6 | (uint32_t)value;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        err = dsnd_buf_add_char(out, (char)(held >> count & 0xff));
        if (err)
            return err;
        held &= (1u << count) - 1;
    }
    /* What is left over must be padding bits, and those must be zero. */
    return held != 0 || count >= 6 ? DSND_ERR_SYNTAX : DSND_OK;
}
