#include "ingest/smtp_peers.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/siphash.h"

enum { BUCKETS = 1 << 14 };

struct peer {
    struct peer *next;
    struct smtp_peer_key key;
    uint64_t sessions; /* at least one */
    bool refused;      /* a session was refused since the client came */
};

struct smtp_peers {
    pthread_mutex_t lock;
    struct siphash_key hash_key;
    struct peer *buckets[BUCKETS];
};

struct smtp_peer_key smtp_peer_key_of(const struct sockaddr *address)
{
    struct smtp_peer_key key;

    memset(&key, 0, sizeof(key)); /* padding too: it is hashed */
    key.family = address->sa_family;
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

        memcpy(key.octets, &in->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;

        if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
            key.family = AF_INET;
            memcpy(key.octets, in6->sin6_addr.s6_addr + 12, 4);
        } else {
            memcpy(key.octets, &in6->sin6_addr, sizeof(key.octets));
        }
    }
    return key;
}

enum dsnd_err smtp_peers_new(struct smtp_peers **ret_peers)
{
    struct smtp_peers *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    if (getrandom(&self->hash_key, sizeof(self->hash_key), 0) != sizeof(self->hash_key)) {
        free(self);
        return DSND_ERR_IO;
    }
    if (pthread_mutex_init(&self->lock, NULL) != 0) {
        free(self);
        return DSND_ERR_NOMEM;
    }
    *ret_peers = self;
    return DSND_OK;
}

void smtp_peers_free(struct smtp_peers *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        while (self->buckets[i]) {
            struct peer *next = self->buckets[i]->next;

            free(self->buckets[i]);
            self->buckets[i] = next;
        }
    }
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}

/* Where the link to the client's entry stands, or the end of its chain. */
static struct peer **find(struct smtp_peers *self, const struct smtp_peer_key *key)
{
    struct dsnd_str octets = dsnd_str_make((const char *)key, sizeof(*key));
    struct peer **link = &self->buckets[siphash(&self->hash_key, octets) % BUCKETS];

    while (*link && memcmp(&(*link)->key, key, sizeof(*key)) != 0)
        link = &(*link)->next;
    return link;
}

static enum smtp_peers_answer enter(struct smtp_peers *self, const struct smtp_peer_key *key,
                                    uint64_t max)
{
    struct peer **link = find(self, key);
    struct peer *peer = *link;

    if (!peer) {
        peer = calloc(1, sizeof(*peer));
        if (!peer)
            return SMTP_PEERS_FULL;
        peer->key = *key;
        *link = peer;
    }
    if (peer->sessions >= max) {
        enum smtp_peers_answer answer = peer->refused ? SMTP_PEERS_FULL : SMTP_PEERS_FULL_FIRST;

        peer->refused = true;
        return answer;
    }
    peer->sessions++;
    return SMTP_PEERS_ENTERED;
}

enum smtp_peers_answer smtp_peers_enter(struct smtp_peers *self, const struct smtp_peer_key *key,
                                        uint64_t max)
{
    enum smtp_peers_answer answer = SMTP_PEERS_ENTERED;

    if (key->family == AF_UNIX)
        return answer;
    (void)pthread_mutex_lock(&self->lock);
    answer = enter(self, key, max);
    (void)pthread_mutex_unlock(&self->lock);
    return answer;
}

void smtp_peers_leave(struct smtp_peers *self, const struct smtp_peer_key *key)
{
    struct peer **link;

    if (key->family == AF_UNIX)
        return;
    (void)pthread_mutex_lock(&self->lock);
    link = find(self, key);
    if (*link && --(*link)->sessions == 0) {
        struct peer *gone = *link;

        *link = gone->next;
        free(gone);
    }
    (void)pthread_mutex_unlock(&self->lock);
}
