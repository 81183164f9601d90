#include "ingest/smtp_peers.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/siphash.h"

enum {
    BUCKETS = 1 << 14,
    PEERS_MAX = 200 * 1000, /* beyond, who has no session is forgotten at once */
};

struct peer {
    struct peer *next;
    struct smtp_peer_key key;
    uint64_t sessions;
    struct smtp_share share;
    bool refused;      /* a session was refused in this window */
    int64_t window_ms; /* when the counts began */
    uint64_t counts[SMTP_PEERS_COUNTED];
};

struct smtp_peers {
    pthread_mutex_t lock;
    struct siphash_key hash_key;
    struct peer everyone; /* all clients together, as if they were one */
    struct peer *buckets[BUCKETS];
    size_t count;
    size_t swept; /* bucket that was looked through last */
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

/* What the client did counts for a window, whether it is connected or not. */
static bool stale(const struct smtp_peers *self, const struct peer *peer, int64_t now_ms)
{
    return !peer->sessions &&
           (self->count > PEERS_MAX || now_ms - peer->window_ms >= SMTP_PEERS_WINDOW_MS);
}

static void forget(struct smtp_peers *self, struct peer **link)
{
    struct peer *gone = *link;

    *link = gone->next;
    self->count--;
    free(gone);
}

/* Each arrival looks through one bucket, so that the whole table is swept again and again. */
static void sweep(struct smtp_peers *self, int64_t now_ms)
{
    struct peer **link;

    self->swept = (self->swept + 1) % BUCKETS;
    link = &self->buckets[self->swept];
    while (*link) {
        if (stale(self, *link, now_ms))
            forget(self, link);
        else
            link = &(*link)->next;
    }
}

/* A window that is over makes way for a new one. */
static void open_window(struct peer *peer, int64_t now_ms)
{
    if (now_ms - peer->window_ms < SMTP_PEERS_WINDOW_MS)
        return;
    memset(peer->counts, 0, sizeof(peer->counts));
    peer->window_ms = now_ms;
    peer->refused = false;
}

static struct peer *obtain(struct smtp_peers *self, const struct smtp_peer_key *key, int64_t now_ms)
{
    struct peer **link;
    struct peer *peer;

    sweep(self, now_ms);
    link = find(self, key);
    peer = *link;
    if (!peer) {
        peer = calloc(1, sizeof(*peer));
        if (!peer)
            return NULL;
        peer->key = *key;
        peer->window_ms = now_ms;
        *link = peer;
        self->count++;
    } else {
        open_window(peer, now_ms);
    }
    return peer;
}

static bool spent(const struct peer *peer, const struct smtp_peer_limits *limits,
                  enum smtp_peers_counted what)
{
    return limits->rates[what] && peer->counts[what] >= limits->rates[what];
}

/* Count for all clients together what one of them is let do; false where that is used up. */
static bool share(struct smtp_peers *self, const struct smtp_peer_limits *limits,
                  enum smtp_peers_counted what, int64_t now_ms)
{
    struct peer *everyone = &self->everyone;

    open_window(everyone, now_ms);
    if (limits->totals[what] && everyone->counts[what] >= limits->totals[what])
        return false;
    everyone->counts[what]++;
    return true;
}

static enum smtp_peers_answer enter(struct smtp_peers *self, const struct smtp_peer_key *key,
                                    const struct smtp_peer_limits *limits, int64_t now_ms)
{
    struct peer *peer = obtain(self, key, now_ms);
    enum smtp_peers_answer answer = SMTP_PEERS_ENTERED;

    if (!peer)
        return SMTP_PEERS_FULL;
    if (peer->sessions >= limits->sessions)
        answer = SMTP_PEERS_FULL;
    else if (spent(peer, limits, SMTP_PEERS_CONNECTION) || spent(peer, limits, SMTP_PEERS_ERROR) ||
             !share(self, limits, SMTP_PEERS_CONNECTION, now_ms))
        answer = SMTP_PEERS_TOO_FAST;
    peer->counts[SMTP_PEERS_CONNECTION]++;
    if (answer == SMTP_PEERS_ENTERED)
        peer->sessions++;
    return answer;
}

enum smtp_peers_answer smtp_peers_enter(struct smtp_peers *self, const struct smtp_peer_key *key,
                                        const struct smtp_peer_limits *limits, int64_t now_ms)
{
    enum smtp_peers_answer answer = SMTP_PEERS_ENTERED;

    if (key->family == AF_UNIX)
        return answer;
    (void)pthread_mutex_lock(&self->lock);
    answer = enter(self, key, limits, now_ms);
    (void)pthread_mutex_unlock(&self->lock);
    return answer;
}

bool smtp_peers_refused_first(struct smtp_peers *self, const struct smtp_peer_key *key)
{
    struct peer *peer;
    bool first;

    (void)pthread_mutex_lock(&self->lock);
    peer = *find(self, key);
    first = peer && !peer->refused;
    if (first)
        peer->refused = true;
    (void)pthread_mutex_unlock(&self->lock);
    return first;
}

bool smtp_peers_count(struct smtp_peers *self, const struct smtp_peer_key *key,
                      enum smtp_peers_counted what, const struct smtp_peer_limits *limits,
                      int64_t now_ms)
{
    struct peer *peer;
    bool within = true;

    if (key->family == AF_UNIX || (!limits->rates[what] && !limits->totals[what]))
        return within;
    (void)pthread_mutex_lock(&self->lock);
    peer = obtain(self, key, now_ms);
    if (peer) {
        within = !spent(peer, limits, what) && share(self, limits, what, now_ms);
        peer->counts[what] += within;
    }
    (void)pthread_mutex_unlock(&self->lock);
    return within;
}

struct smtp_share *smtp_peers_share(struct smtp_peers *self, const struct smtp_peer_key *key)
{
    struct peer *peer;

    if (key->family == AF_UNIX)
        return NULL;
    (void)pthread_mutex_lock(&self->lock);
    peer = *find(self, key);
    (void)pthread_mutex_unlock(&self->lock);
    return peer ? &peer->share : NULL;
}

void smtp_peers_leave(struct smtp_peers *self, const struct smtp_peer_key *key, int64_t now_ms)
{
    struct peer **link;

    if (key->family == AF_UNIX)
        return;
    (void)pthread_mutex_lock(&self->lock);
    link = find(self, key);
    if (*link)
        (*link)->sessions--;
    if (*link && stale(self, *link, now_ms))
        forget(self, link);
    (void)pthread_mutex_unlock(&self->lock);
}
