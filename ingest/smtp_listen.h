/*
 * Addresses to listen on, from the text of a setting to sockets.
 */
#ifndef DSND_INGEST_SMTP_LISTEN_H
#define DSND_INGEST_SMTP_LISTEN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

enum smtp_kind {
    SMTP_KIND_PLAIN,  /* SMTP, with STARTTLS where there is a certificate */
    SMTP_KIND_TLS,    /* SMTP inside TLS from the first octet (RFC 8314) */
    SMTP_KIND_LMTP,   /* RFC 2033 */
    SMTP_KIND_SUBMIT, /* SMTP from our own MTA, behind AUTH */
};

struct smtp_address {
    enum smtp_kind kind;
    socklen_t len;
    struct sockaddr_storage storage;
};

enum { SMTP_ADDRESSES_MAX = 16 };

struct smtp_addresses {
    struct smtp_address at[SMTP_ADDRESSES_MAX];
    size_t count;
};

/*
 * Append the addresses of `text`: "host:port", "[v6]:port" or "/path/of/a/socket", comma-separated;
 * empty adds none. DSND_ERR_SYNTAX, DSND_ERR_LIMIT; `error` then names the address at fault.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_listen_parse(const char *text, enum smtp_kind kind, char *error,
                                size_t error_size, struct smtp_addresses *addresses);

/*
 * The one of the `count` sockets from descriptor 3 on, where service managers put them, that
 * listens on `address`: a duplicate, non-blocking. DSND_ERR_NOT_FOUND; DSND_ERR_IO with errno.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_listen_inherit(const struct smtp_address *address, unsigned count, int *ret_fd);

/*
 * A listening, non-blocking socket. Several may listen on one TCP address (SO_REUSEPORT): the
 * kernel spreads connections over them. A stale socket file is replaced; who may
 * reach the new one is decided by the directory it stands in. Where port 0 was asked
 * for, `address` holds the port that was given. DSND_ERR_IO with errno.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_listen_open(struct smtp_address *address, int *ret_fd);

/* The TCP port, or 0 for a unix socket. */
uint16_t smtp_listen_port(const struct smtp_address *address);

/* The address without its port as text: "192.0.2.7", "2001:db8::1" or "unix". */
enum { SMTP_LISTEN_TEXT_SIZE = 64 };
void smtp_listen_text(const struct sockaddr *address, char ret_text[SMTP_LISTEN_TEXT_SIZE]);

#endif
