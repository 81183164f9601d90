/*
 * Every reply the receiver gives: code (RFC 5321 section 4.2), enhanced status (RFC 3463), text,
 * and the reason it is counted under. Replies never hold octets of the client. Pure, any thread.
 */
#ifndef DSND_INGEST_SMTP_REPLY_H
#define DSND_INGEST_SMTP_REPLY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/metrics.h"

/* Octets of one reply line, CR LF included (RFC 5321 section 4.5.3.1.5). */
enum { SMTP_REPLY_LINE_MAX = 512 };

enum smtp_reply {
    SMTP_REPLY_OK,
    SMTP_REPLY_BYE,
    SMTP_REPLY_SENDER_OK,
    SMTP_REPLY_RECIPIENT_OK,
    SMTP_REPLY_CHUNK_OK,
    SMTP_REPLY_RESET,
    SMTP_REPLY_CANNOT_VERIFY,
    SMTP_REPLY_HELP,
    SMTP_REPLY_GO_AHEAD,
    SMTP_REPLY_START_TLS,
    SMTP_REPLY_AUTH_OK,
    SMTP_REPLY_AUTH_CHALLENGE, /* its text stands elsewhere */
    SMTP_REPLY_TIMEOUT,
    SMTP_REPLY_TOO_SLOW,
    SMTP_REPLY_SHUTDOWN,
    SMTP_REPLY_EVICTED,
    SMTP_REPLY_HOLDS_MEMORY,
    SMTP_REPLY_FULL,
    SMTP_REPLY_CLIENT_LIMIT,
    SMTP_REPLY_CLIENT_RATE,
    SMTP_REPLY_TOO_MANY_ERRORS,
    SMTP_REPLY_JOURNAL_FAILED,
    SMTP_REPLY_MESSAGE_RATE,
    SMTP_REPLY_NO_SPACE,
    SMTP_REPLY_NO_MEMORY,
    SMTP_REPLY_TOO_MANY_RECIPIENTS,
    SMTP_REPLY_TLS_UNAVAILABLE,
    SMTP_REPLY_AUTH_UNAVAILABLE,
    SMTP_REPLY_UNKNOWN_COMMAND,
    SMTP_REPLY_BAD_LINE,
    SMTP_REPLY_BARE_IN_COMMAND,
    SMTP_REPLY_LINE_TOO_LONG,
    SMTP_REPLY_AUTH_TOO_LONG,
    SMTP_REPLY_NO_ARGUMENT_ALLOWED,
    SMTP_REPLY_ARGUMENT_NEEDED,
    SMTP_REPLY_HELO_SYNTAX,
    SMTP_REPLY_SENDER_SYNTAX,
    SMTP_REPLY_RECIPIENT_SYNTAX,
    SMTP_REPLY_SENDER_TOO_LONG,
    SMTP_REPLY_PATH_TOO_LONG,
    SMTP_REPLY_PARAMETER_SYNTAX,
    SMTP_REPLY_CHUNK_SYNTAX,
    SMTP_REPLY_AUTH_SYNTAX,
    SMTP_REPLY_AUTH_CANCELLED,
    SMTP_REPLY_NOT_OFFERED,
    SMTP_REPLY_NO_HELO,
    SMTP_REPLY_NO_MAIL,
    SMTP_REPLY_NO_RECIPIENT,
    SMTP_REPLY_NESTED_MAIL,
    SMTP_REPLY_BAD_SEQUENCE,
    SMTP_REPLY_BINARY_NEEDS_BDAT,
    SMTP_REPLY_TLS_PIPELINED,
    SMTP_REPLY_AUTH_TWICE,
    SMTP_REPLY_AUTH_MECHANISM,
    SMTP_REPLY_AUTH_REQUIRED,
    SMTP_REPLY_AUTH_FAILED,
    SMTP_REPLY_AUTH_NEEDS_TLS,
    SMTP_REPLY_RELAY_DENIED,
    SMTP_REPLY_UNSIGNED,
    SMTP_REPLY_FORGED,
    SMTP_REPLY_EXPIRED,
    SMTP_REPLY_NOTIFY_SUCCESS,
    SMTP_REPLY_BARE_CR,
    SMTP_REPLY_BARE_LF,
    SMTP_REPLY_TOO_LARGE,
    SMTP_REPLY_NEEDS_UTF8,
    SMTP_REPLY_LOOP,
    SMTP_REPLY_NOT_SMTP,
    SMTP_REPLY_NOT_TLS,
    SMTP_REPLY_EARLY_TALKER,
    SMTP_REPLY_UNKNOWN_PARAMETER,
    SMTP_REPLY_COUNT,
};

struct smtp_reply_text {
    unsigned code;
    const char *enhanced; /* "5.5.1", or "" where none belongs */
    const char *text;     /* printable ASCII */
    const char *reason;   /* for log lines; one word */
    enum metric metric;   /* counts refusals; SMTP_REPLY_UNCOUNTED for none */
};

/* Replies that are no refusal, or that the server counts itself. */
#define SMTP_REPLY_UNCOUNTED METRIC_COUNT

/* The reply's row; static. */
const struct smtp_reply_text *smtp_reply_text(enum smtp_reply reply);

/* Append the reply as one line. Errors as dsnd_buf_add; nothing was appended then. */
DSND_MUST_CHECK
enum dsnd_err smtp_reply_add(struct dsnd_buf *out, enum smtp_reply reply);

/*
 * Append one line "<code><separator><text>"; `separator` is '-' before further lines of the same
 * reply, else ' '. What does not fit into SMTP_REPLY_LINE_MAX is cut. Errors as dsnd_buf_add.
 */
DSND_MUST_CHECK
DSND_PRINTF(4, 5)
enum dsnd_err smtp_reply_addf(struct dsnd_buf *out, unsigned code, char separator,
                              const char *format, ...);

#endif
