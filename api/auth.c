#include "api/auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "parse/base32.h"
#include "parse/digest.h"

enum { AUTH_SLOTS = 256, AUTH_CHARS = 52, AUTH_RANDOM_OCTETS = 33 };

static const char prefix[] = "dsnd_";

struct slot {
    unsigned char hash[DIGEST_OCTETS];
    struct store_token token;
    int64_t until_ms;
};

struct auth {
    pthread_mutex_t mutex;
    struct slot slots[AUTH_SLOTS];
};

enum dsnd_err auth_new(struct auth **ret_auth)
{
    struct auth *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    if (pthread_mutex_init(&self->mutex, NULL) != 0) {
        free(self);
        return DSND_ERR_IO;
    }
    *ret_auth = self;
    return DSND_OK;
}

void auth_free(struct auth *self)
{
    if (!self)
        return;
    (void)pthread_mutex_destroy(&self->mutex);
    free(self);
}

enum dsnd_err auth_read(struct dsnd_str header, unsigned char ret_hash[32])
{
    size_t space = dsnd_str_chr(header, ' ');
    struct dsnd_str scheme = dsnd_str_slice(header, 0, space);
    struct dsnd_str token;

    if (space == SIZE_MAX || !dsnd_str_ieq(scheme, DSND_STR("Bearer")))
        return DSND_ERR_SYNTAX;
    token = dsnd_str_trim(dsnd_str_slice(header, space + 1, header.len));
    if (token.len != AUTH_TOKEN_SIZE - 1 || !dsnd_str_starts(token, dsnd_str_of(prefix)) ||
        !base32_is(token.ptr + strlen(prefix), AUTH_CHARS))
        return DSND_ERR_SYNTAX;
    return digest_sha256(token, ret_hash);
}

/* The hash of a secret is as good as random: its first octet spreads evenly. */
static struct slot *slot_of(struct auth *self, const unsigned char *hash)
{
    return &self->slots[hash[0] % AUTH_SLOTS];
}

enum dsnd_err auth_recall(struct auth *self, const unsigned char hash[32],
                          struct store_token *ret_token)
{
    struct slot *slot = slot_of(self, hash);
    enum dsnd_err err = DSND_ERR_NOT_FOUND;

    (void)pthread_mutex_lock(&self->mutex);
    if (dsnd_clock_monotonic_ms() < slot->until_ms &&
        digest_equal(slot->hash, hash, DIGEST_OCTETS)) {
        *ret_token = slot->token;
        err = DSND_OK;
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return err;
}

void auth_remember(struct auth *self, const unsigned char hash[32], const struct store_token *token)
{
    struct slot *slot = slot_of(self, hash);

    (void)pthread_mutex_lock(&self->mutex);
    memcpy(slot->hash, hash, DIGEST_OCTETS);
    slot->token = *token;
    slot->until_ms = dsnd_clock_monotonic_ms() + AUTH_REMEMBER_MS;
    (void)pthread_mutex_unlock(&self->mutex);
}

enum dsnd_err auth_mint(char ret_token[AUTH_TOKEN_SIZE], unsigned char ret_hash[32])
{
    /* One octet more than 256 bits, because 52 characters hold 260. */
    unsigned char octets[AUTH_RANDOM_OCTETS] = {0};

    if (getrandom(octets, DIGEST_OCTETS, 0) != DIGEST_OCTETS)
        return DSND_ERR_IO;
    memcpy(ret_token, prefix, strlen(prefix));
    base32_encode(octets, AUTH_CHARS, ret_token + strlen(prefix));
    ret_token[AUTH_TOKEN_SIZE - 1] = '\0';
    explicit_bzero(octets, sizeof(octets));
    return digest_sha256(dsnd_str_of(ret_token), ret_hash);
}
