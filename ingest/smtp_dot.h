/*
 * The octets after 354: dots unstuffed, the end found (RFC 5321 sections 4.1.1.4 and 4.5.2). Only
 * CR LF . CR LF ends the message. Whatever else some server takes for an end (LF . LF and its
 * relatives, CVE-2023-51764 and others) is content, and a bare CR or LF is noted, so that the
 * message can be refused after its real end. Pure; one thread at a time.
 */
#ifndef DSND_INGEST_SMTP_DOT_H
#define DSND_INGEST_SMTP_DOT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum smtp_dot_state {
    SMTP_DOT_LINE_START,
    SMTP_DOT_TEXT,
    SMTP_DOT_CR,     /* CR in a line */
    SMTP_DOT_DOT,    /* a dot at the start of a line */
    SMTP_DOT_DOT_CR, /* a dot at the start of a line, then CR */
    SMTP_DOT_END,
};

struct smtp_dot {
    enum smtp_dot_state state;
    bool bare_cr;
    bool bare_lf;
};

/* Begin a message. */
void smtp_dot_clear(struct smtp_dot *self);

/*
 * Take octets from the front of `*in`, at most to the end of the message, and hand the unstuffed
 * content to `put` in runs (`octets` borrow from `*in` or are constant). True once the end was
 * taken; `*in` then begins behind it. CR LF before the last dot belongs to the content.
 */
DSND_MUST_CHECK
bool smtp_dot_feed(struct smtp_dot *self, struct dsnd_str *in,
                   void (*put)(void *context, struct dsnd_str octets), void *context);

#endif
