/*
 * Keyset cursors: the key of the last row of a page, opaque to the client. Pure, any thread.
 */
#ifndef DSND_API_CURSOR_H
#define DSND_API_CURSOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
    CURSOR_KEYS_MAX = 3,
    CURSOR_TEXT_MAX = 2048, /* octets of an encoded cursor */
};

struct cursor {
    struct dsnd_str key[CURSOR_KEYS_MAX]; /* in the list's order */
    size_t count;                         /* 0: from the beginning */
};

/*
 * Append the text of a cursor into the list `list` (a short constant, so that a cursor of one list
 * is refused by another). DSND_ERR_LIMIT, DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err cursor_encode(const struct cursor *cursor, const char *list, struct dsnd_buf *out);
/* The reverse; keys live in `arena`. DSND_ERR_SYNTAX: no cursor of `list` with `count` keys. */
DSND_MUST_CHECK
enum dsnd_err cursor_decode(struct dsnd_str text, const char *list, size_t count,
                            struct dsnd_arena *arena, struct cursor *ret_cursor);

#endif
