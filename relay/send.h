/*
 * One message to a relay over SMTP (RFC 5321), by libcurl: bounded in time, TLS as told. The sender
 * of what goes out is null, so nothing can come back for it. A struct serves one thread.
 */
#ifndef DSND_RELAY_SEND_H
#define DSND_RELAY_SEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

/* How a relay at smtp:// is spoken to; smtps:// is always encrypted and verified. */
enum relay_tls {
    RELAY_TLS_MAY,  /* encrypted where it offers that, whatever its certificate is */
    RELAY_TLS_MUST, /* encrypted and its certificate verified, or not at all */
};

struct relay_settings {
    const char *url;      /* smtp://host:port or smtps://host:port */
    const char *hostname; /* for EHLO */
    const char *login;    /* "name:password", or "" for no AUTH */
    enum relay_tls tls;
};

/* smtp://host:port or smtps://host:port: no login, path or query. */
bool relay_url_valid(const char *url);

enum relay_result {
    RELAY_SENT,    /* the relay has said 250 to the whole message */
    RELAY_LATER,   /* it could not be reached, or said 4xx */
    RELAY_REFUSED, /* it said 5xx: the same again would be refused again */
};

enum { RELAY_REASON_SIZE = 256 };

struct relay;

/* Once, before any thread. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err relay_global_init(void);

/* NULL without memory. */
struct relay *relay_new(void);
void relay_free(struct relay *self);

/*
 * Send `octets` to `recipient`, a forward path without < and >. `stop` (may be NULL) ends the wait
 * when it becomes true. `reason`, of RELAY_REASON_SIZE, says in words what went wrong, without
 * octets of others; "" where nothing did.
 */
enum relay_result relay_send(struct relay *self, const struct relay_settings *settings,
                             const char *recipient, struct dsnd_str octets, const atomic_bool *stop,
                             char reason[RELAY_REASON_SIZE]);

#endif
