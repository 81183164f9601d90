/*
 * What the API needs of cryptography: SHA-256, constant-time comparison, random octets, and the two
 * text encodings it prints them in. Pure but for the random source; any thread.
 */
#ifndef DSND_API_DIGEST_H
#define DSND_API_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
    DIGEST_OCTETS = 32,
    /* Octets of a digest in hexadecimal and its NUL. */
    DIGEST_HEX_SIZE = 2 * DIGEST_OCTETS + 1,
};

/* SHA-256 of `octets`. DSND_ERR_NOMEM when the library has no memory. */
DSND_MUST_CHECK
enum dsnd_err digest_sha256(struct dsnd_str octets, unsigned char ret_digest[DIGEST_OCTETS]);
/* In lower-case hexadecimal. */
void digest_hex(const unsigned char digest[DIGEST_OCTETS], char ret_hex[DIGEST_HEX_SIZE]);
/* Equal or not, in a time that depends on `len` alone. */
bool digest_equal(const void *a, const void *b, size_t len);

/* `len` octets nobody can guess. DSND_ERR_IO: the system has no randomness to give. */
DSND_MUST_CHECK
enum dsnd_err digest_random(unsigned char *dst, size_t len);

/* RFC 4648 base32 in lower case without padding, appended. Errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err digest_base32(struct dsnd_str octets, struct dsnd_buf *out);
/* RFC 4648 base64url without padding, appended. Errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err digest_base64url(struct dsnd_str octets, struct dsnd_buf *out);
/* The reverse. DSND_ERR_SYNTAX: not canonical base64url; else errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err digest_base64url_decode(struct dsnd_str text, struct dsnd_buf *out);

#endif
