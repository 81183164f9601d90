/*
 * Lines of prose that begin with a reply of a mail server, whatever language stands around them:
 * "550 5.1.1 unknown", "<<< 550 ...", "Out: 550 ...", "Received >>> 550 ...". Pure, any thread,
 * linear.
 */
#ifndef DSND_PARSE_PROSE_REPLY_H
#define DSND_PARSE_PROSE_REPLY_H

#include <stdbool.h>

#include "base/str.h"

/* What stands behind the mark of a transcript that begins `line`; `*ret_marked`: there was one. */
struct dsnd_str prose_reply_content(struct dsnd_str line, bool *ret_marked);

/* The line from the code of a failing reply on, where it begins with one; else absent. */
struct dsnd_str prose_reply_of(struct dsnd_str line);

/* All of `prose` from the first such line on, or absent. */
struct dsnd_str prose_reply_find(struct dsnd_str prose);

#endif
