/*
 * The prose of a part, ready to be read: HTML becomes text, marks of quotation go, and what follows
 * the line that announces the returned message is cut off. One thread, linear.
 */
#ifndef DSND_PARSE_PROSE_TEXT_H
#define DSND_PARSE_PROSE_TEXT_H

#include <stdbool.h>

#include "base/str.h"
#include "parse/draft.h"
#include "parse/mime.h"

/* Octets read of one part; no sender explains a failure at greater length. */
enum { PROSE_TEXT_OCTETS = 64 * 1024 };

struct prose_text {
    struct dsnd_str prose; /* LF line ends */
    struct dsnd_str copy; /* the returned message, as far as it is in the same part; may be empty */
};

/*
 * The text of a part with role TEXT or HTML. `is_forwarded` takes "> " from the lines. Borrows from
 * the part or the arena; empty after an error of the draft.
 */
struct prose_text prose_text_of(struct draft *draft, const struct mime_part *part,
                                bool is_forwarded);

/*
 * HTML as text into `out`, which has room for html.len octets; the octets written. Its own line
 * ends are spaces unless `keep_lines`, as in a text that only borrows a few tags.
 */
size_t prose_text_html(struct dsnd_str html, bool keep_lines, char *out);

#endif
