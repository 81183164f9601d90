/*
 * What each client, an IPv4 address or an IPv6 /64, has and did of late. Any thread.
 */
#ifndef DSND_INGEST_SMTP_PEERS_H
#define DSND_INGEST_SMTP_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "ingest/smtp_budget.h"

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

/* What is counted of a client, in windows of a minute. */
enum smtp_peers_counted {
    SMTP_PEERS_CONNECTION,
    SMTP_PEERS_MESSAGE,
    SMTP_PEERS_ERROR, /* a reply of 500 or more */
    SMTP_PEERS_COUNTED,
};

enum { SMTP_PEERS_WINDOW_MS = 60 * 1000 };

struct smtp_peer_limits {
    uint64_t sessions;                   /* at one time */
    uint64_t rates[SMTP_PEERS_COUNTED];  /* in a window; 0: no limit, here and below */
    uint64_t totals[SMTP_PEERS_COUNTED]; /* of all clients together */
};

enum smtp_peers_answer {
    SMTP_PEERS_ENTERED,
    SMTP_PEERS_FULL,     /* it has its sessions already (or memory is short) */
    SMTP_PEERS_TOO_FAST, /* its connections or errors of this minute, or everyone's, are used up */
};

/* Count a connection of the client, and a session where it is let in. Times are monotonic. */
enum smtp_peers_answer smtp_peers_enter(struct smtp_peers *self, const struct smtp_peer_key *key,
                                        const struct smtp_peer_limits *limits, int64_t now_ms);
/* Whether the refusal at hand is the client's first in its window: worth a log line. */
bool smtp_peers_refused_first(struct smtp_peers *self, const struct smtp_peer_key *key);
/* Count a message or an error; false where those of this minute, its own or all, are used up. */
bool smtp_peers_count(struct smtp_peers *self, const struct smtp_peer_key *key,
                      enum smtp_peers_counted what, const struct smtp_peer_limits *limits,
                      int64_t now_ms);
/*
 * What the client, which has entered, holds of the memory for mail; good until that session leaves.
 * NULL: it has no limit.
 */
struct smtp_share *smtp_peers_share(struct smtp_peers *self, const struct smtp_peer_key *key);
/* A session that entered has ended. */
void smtp_peers_leave(struct smtp_peers *self, const struct smtp_peer_key *key, int64_t now_ms);

#endif
