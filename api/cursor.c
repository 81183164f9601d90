#include "api/cursor.h"

#include <assert.h>

#include "api/encode.h"
#include "base/utf8.h"

/* Before encoding: list, then each key, with this between them. Keys never hold it. */
static const char separator = '\x1f';

enum dsnd_err cursor_encode(const struct cursor *cursor, const char *list, struct dsnd_buf *out)
{
    struct dsnd_buf plain = DSND_BUF_INIT(CURSOR_TEXT_MAX);
    enum dsnd_err err = dsnd_buf_add(&plain, dsnd_str_of(list));

    assert(cursor->count <= CURSOR_KEYS_MAX);
    for (size_t i = 0; i < cursor->count && !err; i++) {
        err = dsnd_buf_add_char(&plain, separator);
        if (!err)
            err = dsnd_buf_add(&plain, cursor->key[i]);
    }
    if (!err)
        err = encode_base64url(dsnd_buf_str(&plain), out);
    dsnd_buf_done(&plain);
    return err;
}

/* Take `text` apart; the views borrow from it. */
static enum dsnd_err split(struct dsnd_str text, const char *list, size_t count,
                           struct cursor *ret_cursor)
{
    if (!utf8_valid(text) || dsnd_str_chr(text, '\0') != SIZE_MAX)
        return DSND_ERR_SYNTAX;
    if (!dsnd_str_eq(dsnd_str_cut(&text, separator), dsnd_str_of(list)))
        return DSND_ERR_SYNTAX;
    ret_cursor->count = 0;
    while (dsnd_str_present(text)) {
        if (ret_cursor->count == count)
            return DSND_ERR_SYNTAX;
        ret_cursor->key[ret_cursor->count++] = dsnd_str_cut(&text, separator);
    }
    return ret_cursor->count == count ? DSND_OK : DSND_ERR_SYNTAX;
}

enum dsnd_err cursor_decode(struct dsnd_str text, const char *list, size_t count,
                            struct dsnd_arena *arena, struct cursor *ret_cursor)
{
    struct dsnd_buf plain = DSND_BUF_INIT(CURSOR_TEXT_MAX);
    struct dsnd_str copy;
    enum dsnd_err err = DSND_ERR_SYNTAX;

    assert(count <= CURSOR_KEYS_MAX);
    if (text.len == 0 || text.len > CURSOR_TEXT_MAX)
        goto out;
    err = encode_base64url_decode(text, &plain);
    if (err)
        goto out;
    err = dsnd_arena_copy(arena, dsnd_buf_str(&plain), &copy);
    if (!err)
        err = split(copy, list, count, ret_cursor);
out:
    dsnd_buf_done(&plain);
    return err;
}
