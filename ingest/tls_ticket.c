#include "ingest/tls_ticket.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

enum { NAME_OCTETS = 16, KEY_OCTETS = 32 };

struct key {
    unsigned char name[NAME_OCTETS];
    unsigned char aes[KEY_OCTETS];
    unsigned char mac[KEY_OCTETS];
};

struct tls_tickets {
    pthread_mutex_t lock; /* guards the rest */
    int64_t (*now_ms)(void);
    int64_t rotate_ms;  /* the next rotation is due then */
    struct key keys[2]; /* the first seals */
};

/* Without random octets the key at hand goes on; the next ticket tries again. */
static bool rotate(struct tls_tickets *self)
{
    struct key fresh;
    bool ok = RAND_bytes((unsigned char *)&fresh, sizeof(fresh)) == 1;

    if (ok) {
        self->keys[1] = self->keys[0];
        self->keys[0] = fresh;
        self->rotate_ms = self->now_ms() + TLS_TICKET_ROTATE_MS;
    }
    OPENSSL_cleanse(&fresh, sizeof(fresh));
    return ok;
}

/* A copy of the key that seals, or of the one called `name`; 0: gone, 1: the newest, 2: older. */
static int pick(struct tls_tickets *self, const unsigned char *name, struct key *ret_key)
{
    int64_t late_ms;
    int found = 0;

    (void)pthread_mutex_lock(&self->lock);
    late_ms = self->now_ms() - self->rotate_ms;
    if (late_ms >= 0 && rotate(self) && late_ms >= TLS_TICKET_ROTATE_MS)
        (void)rotate(self);
    for (int i = 0; i < 2 && !found; i++) {
        if (name && memcmp(name, self->keys[i].name, NAME_OCTETS) != 0)
            continue;
        *ret_key = self->keys[i];
        found = i + 1;
    }
    (void)pthread_mutex_unlock(&self->lock);
    return found;
}

static bool prepare(const struct key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                    EVP_MAC_CTX *mac, int seal)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv, seal) == 1 &&
           EVP_MAC_init(mac, key->mac, sizeof(key->mac), params) == 1;
}

/* As SSL_CTX_set_tlsext_ticket_key_evp_cb(3) wants it: 2 asks for a new ticket. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal)
{
    struct tls_tickets *self = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct key key;
    int found = pick(self, seal ? NULL : name, &key);

    if (found && seal) {
        memcpy(name, key.name, NAME_OCTETS);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            found = -1;
    }
    if (found > 0 && !prepare(&key, iv, cipher, mac, seal))
        found = -1;
    OPENSSL_cleanse(&key, sizeof(key));
    return found;
}

enum dsnd_err tls_tickets_new(int64_t (*now_ms)(void), struct tls_tickets **ret_tickets)
{
    struct tls_tickets *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    self->now_ms = now_ms;
    (void)pthread_mutex_init(&self->lock, NULL);
    if (!rotate(self) || !rotate(self)) {
        tls_tickets_free(self);
        return DSND_ERR_IO;
    }
    *ret_tickets = self;
    return DSND_OK;
}

void tls_tickets_free(struct tls_tickets *self)
{
    if (!self)
        return;
    (void)pthread_mutex_destroy(&self->lock);
    OPENSSL_cleanse(self->keys, sizeof(self->keys));
    free(self);
}

enum dsnd_err tls_tickets_use(struct tls_tickets *self, SSL_CTX *ctx)
{
    SSL_CTX_set_app_data(ctx, self);
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) == 1 ? DSND_OK : DSND_ERR_NOMEM;
}
