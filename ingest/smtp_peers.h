/*
 * How many sessions each client has: an IPv4 address or an IPv6 /64. Any thread.
 */
#ifndef DSND_INGEST_SMTP_PEERS_H
#define DSND_INGEST_SMTP_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct smtp_peers;

/* Who a client is. Unix sockets have the family alone and are not counted. */
struct smtp_peer_key {
    uint16_t family;
    unsigned char octets[8]; /* the IPv4 address, or the first 64 bits of the IPv6 address */
};

/* IPv4 addresses mapped into IPv6 count as what they are. */
struct smtp_peer_key smtp_peer_key_of(const struct sockaddr *address);

/* DSND_ERR_NOMEM; DSND_ERR_IO: no random octets. */
DSND_MUST_CHECK
enum dsnd_err smtp_peers_new(struct smtp_peers **ret_peers);
void smtp_peers_free(struct smtp_peers *self);

enum smtp_peers_answer {
    SMTP_PEERS_ENTERED,
    SMTP_PEERS_FULL,       /* it has `max` sessions already */
    SMTP_PEERS_FULL_FIRST, /* the same, and for the first time since it came: worth a log line */
};

/* Count a session of the client, unless it has `max` already (or memory is short). */
enum smtp_peers_answer smtp_peers_enter(struct smtp_peers *self, const struct smtp_peer_key *key,
                                        uint64_t max);
/* A session that entered has ended. */
void smtp_peers_leave(struct smtp_peers *self, const struct smtp_peer_key *key);

#endif
