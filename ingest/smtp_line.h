/*
 * Octets of a command stream to lines that end with CR LF (RFC 5321 section 2.3.8). Only CR LF ends
 * a line: a bare CR or LF makes the whole line bad, so that two readers of one stream can never
 * disagree on where a command ends. Pure; one thread at a time.
 */
#ifndef DSND_INGEST_SMTP_LINE_H
#define DSND_INGEST_SMTP_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Octets of a command line, CR LF included. RFC 5321 section 4.5.3.1.4 asks for 512, RFC 1870 and
 * RFC 3461 add 26 + 8 + 100 to MAIL and 500 + 28 to RCPT, RFC 6531 more for longer addresses.
 */
enum { SMTP_LINE_MAX = 2048 };

enum smtp_line_status {
    SMTP_LINE_MORE,     /* all of the input was taken, the line is not complete */
    SMTP_LINE_READY,    /* a line, without its CR LF */
    SMTP_LINE_TOO_LONG, /* a line longer than SMTP_LINE_MAX ended here; its start is there */
    SMTP_LINE_BARE,     /* a line that holds a bare CR or LF ended here; its start is there */
    SMTP_LINE_TLS,      /* no line at all: a TLS handshake begins here; give up */
};

struct smtp_line {
    char octets[SMTP_LINE_MAX];
    size_t len;    /* octets held */
    bool cr;       /* the last octet was CR */
    bool too_long; /* octets were dropped */
    bool bare;     /* a bare CR or LF was seen */
    bool returned; /* `octets` hold the line handed out last */
};

/* Forget everything, as at the start of a stream. */
void smtp_line_clear(struct smtp_line *self);

/* Nothing of an unfinished line is held. */
bool smtp_line_empty(const struct smtp_line *self);

/*
 * Take octets from the front of `*in`, at most to the end of one line. On SMTP_LINE_READY,
 * SMTP_LINE_TOO_LONG and SMTP_LINE_BARE `*ret_line` borrows from `self` until the next call; else
 * it is left as it was.
 */
DSND_MUST_CHECK
enum smtp_line_status smtp_line_feed(struct smtp_line *self, struct dsnd_str *in,
                                     struct dsnd_str *ret_line);

#endif
