/*
 * Header-like fields in text with LF line ends: the blocks of RFC 3464, RFC 5965 and RFC 8098 and
 * the headers of a returned message, after MIME decoding. Tolerant: what is no field is said to be
 * none, and reading goes on. Pure, any thread, linear.
 */
#ifndef DSND_PARSE_FIELDS_H
#define DSND_PARSE_FIELDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum fields_line {
    FIELDS_END,
    FIELDS_FIELD, /* `Name: value`, with its folded lines */
    FIELDS_BLANK, /* one empty line or one of white space */
    FIELDS_JUNK,  /* a line that is no field */
};

struct field {
    struct dsnd_str name;
    struct dsnd_str value; /* trimmed; may hold folds (LF and white space) */
};

/*
 * Take the next line (with its continuation lines) from the front of `*text`. FIELDS_FIELD fills
 * `*ret_field`; FIELDS_JUNK sets its value to the line and its name absent.
 */
enum fields_line fields_next(struct dsnd_str *text, struct field *ret_field);

/* `value` with each run of white space and folds as one space. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err fields_unfold(struct dsnd_arena *arena, struct dsnd_str value,
                            struct dsnd_str *ret_text);

/* `s` without leading white space and RFC 5322 comments at its front. */
struct dsnd_str fields_skip_comment(struct dsnd_str s);

#endif
