/*
 * One SMTP or LMTP session as a pure object: octets of the client in, octets of replies and an
 * action out. No socket, no clock, no thread of its own; whoever drives it sends the output and
 * carries out the action. RFC 5321, 2033, 1870, 2034, 2920, 3030, 3207, 3461, 4954, 6152, 6531,
 * 9422.
 * One thread at a time.
 */
#ifndef DSND_INGEST_SMTP_SESSION_H
#define DSND_INGEST_SMTP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "ingest/journal.h"
#include "ingest/smtp_auth.h"
#include "ingest/smtp_command.h"
#include "ingest/smtp_dot.h"
#include "ingest/smtp_envelope.h"
#include "ingest/smtp_line.h"
#include "ingest/smtp_reply.h"
#include "ingest/smtp_transaction.h"

enum {
    SMTP_OUTPUT_MAX = 128 * 1024, /* give the output buffer this cap */
    SMTP_OUTPUT_HIGH = 16 * 1024, /* from here on input waits until output was sent */
    SMTP_ERRORS_SLOW = 10,        /* refused commands after which each further one costs a pause */
    SMTP_ERRORS_MAX = 20,         /* refused commands after which the session ends */
    SMTP_HELO_SIZE = 256,
};

/* What differs from session to session. */
struct smtp_session_options {
    bool lmtp;     /* RFC 2033 */
    bool starttls; /* a certificate is there: offer STARTTLS */
    bool tls;      /* TLS from the first octet */
    bool submit;   /* our own MTA hands mail in, behind AUTH; needs `settings->users` */
    /* Told of every refusal, a reply of 400 and more; `error`: it counts against the client. May be
     * NULL. */
    void (*refused)(void *context, enum smtp_reply reply, bool error);
    /* Asked, and told, of every message that begins; may be NULL: it may. */
    bool (*may_begin)(void *context);
    void *context;
};

enum smtp_state {
    SMTP_STATE_START, /* no EHLO yet */
    SMTP_STATE_READY,
    SMTP_STATE_MAIL,   /* a sender, no recipient */
    SMTP_STATE_RCPT,   /* a recipient at least */
    SMTP_STATE_BDAT,   /* between chunks */
    SMTP_STATE_DATA,   /* content up to the lone dot */
    SMTP_STATE_CHUNK,  /* content of a chunk, kept or skipped */
    SMTP_STATE_AUTH,   /* an answer to a challenge */
    SMTP_STATE_VERIFY, /* waits for smtp_session_verified */
    SMTP_STATE_COMMIT, /* waits for smtp_session_result */
    SMTP_STATE_TLS,    /* waits for smtp_session_secured */
    SMTP_STATE_CLOSED,
};

enum smtp_action {
    SMTP_ACTION_READ,   /* all input was taken: feed more when there is more */
    SMTP_ACTION_FLUSH,  /* much output waits: send it, then feed what is left */
    SMTP_ACTION_PAUSE,  /* too many errors: send, wait a second, then feed what is left */
    SMTP_ACTION_VERIFY, /* call smtp_session_verify, then smtp_session_verified */
    SMTP_ACTION_COMMIT, /* make smtp_session_message durable, then call smtp_session_result */
    SMTP_ACTION_TLS,    /* send, drop what is left of the input, shake hands, ..._secured */
    SMTP_ACTION_CLOSE,  /* send, then close; input no longer matters */
};

struct smtp_session {
    const struct smtp_session_settings *settings;
    struct smtp_session_options options;
    enum smtp_state state;
    enum smtp_state after_chunk; /* state once the chunk was taken */
    enum smtp_reply chunk_reply; /* and its reply */
    uint64_t chunk_left;         /* octets of the chunk still to come */
    bool chunk_last;
    bool pipelined; /* input follows the command at hand */
    bool pause;     /* the command at hand was one refusal too many */
    bool authenticated;
    unsigned errors;
    char helo[SMTP_HELO_SIZE];
    struct smtp_line line;
    struct smtp_dot dot;
    struct smtp_auth auth;
    enum smtp_reply auth_reply; /* of smtp_session_verify */
    struct smtp_transaction transaction;
};

/* `settings` is kept. */
void smtp_session_init(struct smtp_session *self, const struct smtp_session_settings *settings,
                       const struct smtp_session_options *options);
void smtp_session_done(struct smtp_session *self);

/* Whose memory the session takes; before anything is fed. Must outlast the session. */
void smtp_session_share(struct smtp_session *self, struct smtp_share *share);

/* The greeting; call it once, before anything is fed. */
void smtp_session_greet(struct smtp_session *self, struct dsnd_buf *out);

/* Take octets from the front of `*in`, append replies to `out` (cap SMTP_OUTPUT_MAX). */
DSND_MUST_CHECK
enum smtp_action smtp_session_feed(struct smtp_session *self, struct dsnd_str *in,
                                   struct dsnd_buf *out);

/* The message of SMTP_ACTION_COMMIT; views borrow from `self` until smtp_session_result. The caller
 * sets received_us, peer. */
void smtp_session_message(const struct smtp_session *self, struct journal_message *ret_message);

/* The message was copied: forget its octets while the result is awaited. */
void smtp_session_handed_over(struct smtp_session *self);

/* The message is durable under `sequence`, or was not kept because of `err`. Feed again then. */
void smtp_session_result(struct smtp_session *self, enum dsnd_err err, uint64_t sequence,
                         struct dsnd_buf *out);

/*
 * What SMTP_ACTION_VERIFY asks for, and may take a tenth of a second: any one thread, while nobody
 * else uses the session. Then, on the session's own, append the reply, and feed again.
 */
void smtp_session_verify(struct smtp_session *self);
void smtp_session_verified(struct smtp_session *self, struct dsnd_buf *out);

/* TLS is up: everything the client said before is forgotten (RFC 3207 section 4.2). */
void smtp_session_secured(struct smtp_session *self);

/* End the session with `reply`, a 421 or 554. */
void smtp_session_close(struct smtp_session *self, enum smtp_reply reply, struct dsnd_buf *out);

/* No transaction is open: the session can be ended without harm. */
bool smtp_session_idle(const struct smtp_session *self);
/* The client is sending content, whose rate matters. */
bool smtp_session_in_content(const struct smtp_session *self);

#endif
