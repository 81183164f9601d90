/*
 * The one entrance of parse/: message octets and limits in, struct report out. Pure: no socket,
 * clock, database or log. Any thread, with an arena and a parser of its own.
 */
#ifndef DSND_PARSE_PARSE_H
#define DSND_PARSE_PARSE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/report.h"

/* Limits before the MIME parser sees anything; a message beyond them is kept, not parsed. */
struct parse_limits {
    size_t header_octets;     /* of one header block */
    size_t header_lines;      /* of one header block */
    size_t parts;             /* MIME parts */
    size_t depth;             /* nesting of multiparts and messages */
    size_t boundary_lines;    /* lines that begin with "--" inside a multipart */
    size_t recipients;        /* listed in a report */
    size_t diagnostic_octets; /* of one diagnostic text */
    size_t address_octets;    /* of one address */
};

extern const struct parse_limits parse_limits_default;

struct rule_set; /* parse/rules.h: compiled classification rules, shared read-only by threads */
struct parser;   /* scratch of one thread */

/*
 * `rules` is borrowed and must outlive the parser. `campaign_headers` is a comma-separated list of
 * header names to look for in the returned message ("X-Campaign-ID, Feedback-ID, List-Id"); copied.
 */
DSND_MUST_CHECK
enum dsnd_err parser_new(const struct parse_limits *limits, const struct rule_set *rules,
                         struct dsnd_str campaign_headers, struct parser **ret_parser);
void parser_free(struct parser *self);

struct dsnd_buf;
/*
 * From now on parser_run appends to `trace`, for a person to read, a line for each decision; NULL
 * ends it. The buffer is borrowed. What goes beyond its limit is left out.
 */
void parser_trace(struct parser *self, struct dsnd_buf *trace);

/*
 * From now on the MIME parser is given all of a message, not only what is read: for a test that
 * leaving the rest out makes no difference.
 */
void parser_show_all(struct parser *self);

/*
 * Parse and classify one message (CRLF, LF or CR line ends). The report lives in `arena` and may
 * borrow from `message`. Malformed input is never an error: what can be read is read, defects
 * become warnings, and what is no report has kind REPORT_KIND_OTHER.
 *
 * DSND_ERR_NOMEM: the arena's cap was reached; the message needs more than it may have.
 */
DSND_MUST_CHECK
enum dsnd_err parser_run(struct parser *self, struct dsnd_str message, struct dsnd_arena *arena,
                         struct report *ret_report);

#endif
