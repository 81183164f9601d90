/*
 * Text of a part as UTF-8 with LF line ends. Pure, any thread (a converter belongs to one).
 */
#ifndef DSND_PARSE_MIME_CHARSET_H
#define DSND_PARSE_MIME_CHARSET_H

#include <iconv.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* CR LF and CR to LF, in place; returns the octets left. */
size_t mime_charset_to_lf(char *octets, size_t len);

/*
 * `text` through `converter`, which must make UTF-8, in `arena`. An octet that does not fit
 * is kept, for mime_charset_repair. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err mime_charset_convert(struct dsnd_arena *arena, iconv_t converter,
                                   struct dsnd_str text, struct dsnd_str *ret_text);

/*
 * `text` itself where it is UTF-8, else a copy in `arena` with U+FFFD for each octet that is not,
 * and
 * `*ret_defect` is set. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err mime_charset_repair(struct dsnd_arena *arena, struct dsnd_str text, bool *ret_defect,
                                  struct dsnd_str *ret_text);

#endif
