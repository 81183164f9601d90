/*
 * SHA-256 and HMAC-SHA256 through OpenSSL. Pure functions, any thread.
 */
#ifndef DSND_PARSE_DIGEST_H
#define DSND_PARSE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum { DIGEST_OCTETS = 32 };

/* DSND_ERR_NOMEM: OpenSSL could not do it. */
DSND_MUST_CHECK
enum dsnd_err digest_sha256(struct dsnd_str octets, unsigned char ret_digest[DIGEST_OCTETS]);

/* RFC 2104 with a key of at most INT_MAX octets. DSND_ERR_NOMEM as above. */
DSND_MUST_CHECK
enum dsnd_err digest_hmac_sha256(struct dsnd_str key, struct dsnd_str octets,
                                 unsigned char ret_digest[DIGEST_OCTETS]);

/* Equality in a time that depends on `len` only. */
bool digest_equal(const void *a, const void *b, size_t len);

#endif
