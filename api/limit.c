#include "api/limit.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    LIMIT_SLOTS = 4096,
    LIMIT_UNIT = 1000, /* a request in the bucket's unit, so that milliseconds count */
};

struct bucket {
    uint64_t client; /* hash; 0: never used */
    int64_t seen_ms;
    uint64_t level; /* units left */
};

struct limit {
    pthread_mutex_t mutex;
    uint64_t seed[2];
    uint64_t per_second;
    uint64_t burst;
    struct bucket slots[LIMIT_SLOTS];
};

enum dsnd_err limit_new(uint64_t per_second, uint64_t burst, struct limit **ret_limit)
{
    struct limit *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    self->per_second = per_second;
    self->burst = burst > 0 ? burst : 1;
    if (getrandom(self->seed, sizeof(self->seed), 0) != (ssize_t)sizeof(self->seed) ||
        pthread_mutex_init(&self->mutex, NULL) != 0) {
        free(self);
        return DSND_ERR_IO;
    }
    *ret_limit = self;
    return DSND_OK;
}

void limit_free(struct limit *self)
{
    if (!self)
        return;
    (void)pthread_mutex_destroy(&self->mutex);
    free(self);
}

/* What names a client: 8 octets that a stranger cannot aim at another's bucket. */
static uint64_t client_of(const struct limit *self, const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    uint64_t name = 0;

    if (address && address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        name = v4.sin_addr.s_addr;
    } else if (address && address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            memcpy(&name, v6.sin6_addr.s6_addr + 12, 4);
        else
            memcpy(&name, v6.sin6_addr.s6_addr, 8);
    }
    /* A keyed permutation of 64 bits (murmur's finalizer between two secret words). */
    name ^= self->seed[0];
    name ^= name >> 33;
    name *= UINT64_C(0xff51afd7ed558ccd);
    name ^= name >> 33;
    name *= self->seed[1] | 1;
    name ^= name >> 29;
    return name ? name : 1;
}

static void fill(struct limit *self, struct bucket *bucket, uint64_t client, int64_t now_ms)
{
    uint64_t full = self->burst * LIMIT_UNIT;
    int64_t passed = now_ms - bucket->seen_ms;

    if (bucket->client != client) {
        bucket->client = client;
        bucket->level = full;
    } else if (passed > 0) {
        /* More than an hour fills any bucket; less cannot overflow. */
        uint64_t gain = passed > 3600000 ? full : (uint64_t)passed * self->per_second;

        bucket->level = gain > full - bucket->level ? full : bucket->level + gain;
    }
    bucket->seen_ms = now_ms;
}

bool limit_take(struct limit *self, const struct sockaddr *client, int64_t now_ms,
                unsigned *ret_wait_s)
{
    uint64_t name = client_of(self, client);
    struct bucket *bucket = &self->slots[name % LIMIT_SLOTS];
    bool allowed;

    if (self->per_second == 0)
        return true;
    (void)pthread_mutex_lock(&self->mutex);
    fill(self, bucket, name, now_ms);
    allowed = bucket->level >= LIMIT_UNIT;
    if (allowed)
        bucket->level -= LIMIT_UNIT;
    (void)pthread_mutex_unlock(&self->mutex);
    if (!allowed)
        *ret_wait_s = 1;
    return allowed;
}
