/*
 * AUTH (RFC 4954) over GNU SASL: PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195) and SCRAM-SHA-256
 * (RFC 7677), against a file of users. PLAIN and LOGIN need TLS, and all do where TLS can be had;
 * CRAM-MD5 is offered only where a user's secret is kept in a form that can be read back.
 */
#ifndef DSND_INGEST_SMTP_AUTH_H
#define DSND_INGEST_SMTP_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "ingest/smtp_reply.h"

enum {
    SMTP_USERS_MAX = 1000,
    SMTP_USERS_ITERATIONS_MAX = 100000, /* of a SCRAM secret: PLAIN computes them */
};

/* Who may authenticate; unchanged once loaded, any thread. */
struct smtp_users;

/*
 * A line a user: name, blank, secret; the secret is "{SCRAM-SHA-256}iterations,salt,stored-key,
 * server-key" as `gsasl --mkpasswd` prints it, or "{PLAIN}password". Empty lines and those that
 * begin with # are skipped. DSND_ERR_IO, DSND_ERR_NOMEM, DSND_ERR_SYNTAX, DSND_ERR_LIMIT; `error`
 * names file, line and what is allowed.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_users_load(const char *file, char *error, size_t error_size,
                              struct smtp_users **ret_users);
void smtp_users_free(struct smtp_users *self);

/* The mechanisms to advertise, separated by blanks; static. */
const char *smtp_users_mechanisms(const struct smtp_users *self, bool tls);

/* One exchange. One thread at a time. */
struct smtp_auth {
    void *sasl;      /* NULL: none is going on */
    char *challenge; /* what SMTP_REPLY_AUTH_CHALLENGE is to send, base64; never NULL then */
    bool finished;   /* it succeeded, the client has only to take note of that */
    char *line;      /* what smtp_auth_run is to look at; NULL: nothing */
    bool begins;     /* that is the argument of AUTH, not an answer */
};

/*
 * Looking at what a client says may take a tenth of a second of hashing, so it is done in two
 * steps: keep a copy of the argument of AUTH (`begins`) or of an answer, then look at it, on any
 * thread, while nobody else uses `self`. DSND_ERR_NOMEM; DSND_ERR_SYNTAX: a NUL in it.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_auth_put(struct smtp_auth *self, struct dsnd_str line, bool begins);
/*
 * SMTP_REPLY_AUTH_CHALLENGE: send `challenge` behind 334 and go on with the next line;
 * SMTP_REPLY_AUTH_OK: who it is has been proven; else it has failed, for the reason that the reply
 * tells.
 */
enum smtp_reply smtp_auth_run(struct smtp_auth *self, struct smtp_users *users, bool tls);

/* Forget the exchange. */
void smtp_auth_clear(struct smtp_auth *self);

#endif
