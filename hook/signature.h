/*
 * Signatures of Standard Webhooks 1.0: HMAC-SHA256 over "id.timestamp.body", in base64. Pure but
 * for hook_secret_new, any thread.
 */
#ifndef DSND_HOOK_SIGNATURE_H
#define DSND_HOOK_SIGNATURE_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    HOOK_SECRET_SIZE = 64,    /* "whsec_", base64 of 32 octets, NUL */
    HOOK_SIGNATURE_SIZE = 64, /* "v1,", base64 of 32 octets, NUL */
};

/* A new random secret. DSND_ERR_IO: no randomness. */
DSND_MUST_CHECK
enum dsnd_err hook_secret_new(char ret_secret[HOOK_SECRET_SIZE]);

/*
 * Sign. `secret` is "whsec_" and base64 of 24 to 64 octets (DSND_ERR_SYNTAX else), `timestamp`
 * seconds since 1970. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err hook_sign(struct dsnd_str secret, struct dsnd_str id, int64_t timestamp,
                        struct dsnd_str body, char ret_signature[HOOK_SIGNATURE_SIZE]);

#endif
