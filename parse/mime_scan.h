/*
 * One linear pass over a message before the MIME parser sees it: counts header octets and lines,
 * parts, depth and boundary lines that it shows against the limits and shows no more of them, gives
 * all lines LF ends, and leaves out what nobody reads (bodies of returned messages, attachments,
 * trace headers), because those are most of the parser's cost. It also mends what makes a structure
 * invisible: a boundary that is declared in pieces, wrongly or not at all.
 */
#ifndef DSND_PARSE_MIME_SCAN_H
#define DSND_PARSE_MIME_SCAN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/parse.h"

enum {
    MIME_SCAN_PART_OCTETS = 128 * 1024, /* shown of one body */
    MIME_SCAN_OCTETS = 1024 * 1024,     /* shown of one message */
};

struct mime_scan {
    struct dsnd_str shown; /* borrowed from the buffer */
    struct dsnd_str inner; /* the first message/rfc822 part, of the octets given; absent: none */
    bool is_too_complex;   /* the report itself is beyond a limit: `shown` ends there */
    bool has_no_boundary;  /* a multipart whose boundary is missing or never occurs */
    bool is_cut;           /* text beyond MIME_SCAN_PART_OCTETS or MIME_SCAN_OCTETS was left out, or
                              what a returned header holds beyond the limits */
};

/*
 * Scan `message` into `out`, which is emptied first. Headers named in `wanted`, comma-separated,
 * are never left out. `is_whole` leaves nothing out but what is beyond MIME_SCAN_OCTETS: for a test
 * that both ways agree. DSND_ERR_NOMEM, DSND_ERR_LIMIT: the buffer holds less than
 * MIME_SCAN_OCTETS.
 */
DSND_MUST_CHECK
enum dsnd_err mime_scan_run(const struct parse_limits *limits, struct dsnd_str wanted,
                            struct dsnd_str message, bool is_whole, struct dsnd_buf *out,
                            struct mime_scan *ret_scan);

#endif
