/*
 * The PROXY protocol, versions 1 and 2, by which a load balancer tells who its client is; and the
 * networks from which it is taken, and then demanded. Pure, any thread.
 */
#ifndef DSND_INGEST_SMTP_PROXY_H
#define DSND_INGEST_SMTP_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

enum {
    SMTP_PROXY_HEADER_MAX = 2048, /* octets; version 2 may carry more, but none needs to */
    SMTP_NETWORKS_MAX = 64,
};

/* Networks, IPv4 as mapped into IPv6. */
struct smtp_networks {
    struct {
        unsigned char octets[16];
        unsigned bits;
    } at[SMTP_NETWORKS_MAX];
    size_t count;
};

/*
 * "192.0.2.7, 10.0.0.0/8, 2001:db8::/32". DSND_ERR_SYNTAX, DSND_ERR_LIMIT; `error` names the entry
 * at fault.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_networks_parse(const char *text, char *error, size_t error_size,
                                  struct smtp_networks *ret_networks);
/* False for unix sockets. */
bool smtp_networks_hold(const struct smtp_networks *self, const struct sockaddr *address);

/*
 * Read a header from the front of `in`; `*ret_len` octets of it. `*ret_client` is the client, or
 * has family AF_UNSPEC where the balancer speaks for itself (LOCAL) or cannot say whom it speaks
 * for (UNKNOWN, UNSPEC).
 * DSND_ERR_UNAVAILABLE: the header is not complete yet; DSND_ERR_SYNTAX: it is none;
 * DSND_ERR_LIMIT: it is longer than SMTP_PROXY_HEADER_MAX.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_proxy_parse(struct dsnd_str in, size_t *ret_len,
                               struct sockaddr_storage *ret_client);

#endif
