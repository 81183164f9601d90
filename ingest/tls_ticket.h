/*
 * Keys under which session tickets are sealed (RFC 5077, RFC 8446 section 4.6.1). A key seals for
 * half a day and opens for a whole one; then it is destroyed, and with it what a thief of the
 * process's memory could read of older sessions. Any thread.
 */
#ifndef DSND_INGEST_TLS_TICKET_H
#define DSND_INGEST_TLS_TICKET_H

#include <stdint.h>

#include <openssl/ssl.h>

#include "base/err.h"

enum { TLS_TICKET_ROTATE_MS = 12 * 3600 * 1000 };

struct tls_tickets;

/* `now_ms` tells monotonic time. DSND_ERR_NOMEM; DSND_ERR_IO: no random octets. */
DSND_MUST_CHECK
enum dsnd_err tls_tickets_new(int64_t (*now_ms)(void), struct tls_tickets **ret_tickets);
void tls_tickets_free(struct tls_tickets *self);

/* Sessions of `ctx` get tickets under these keys. They must outlive its handshakes. */
DSND_MUST_CHECK
enum dsnd_err tls_tickets_use(struct tls_tickets *self, SSL_CTX *ctx);

#endif
