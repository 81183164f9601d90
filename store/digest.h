/*
 * SHA-256, and the keys under which addresses are stored. Pure functions, any thread.
 */
#ifndef DSND_STORE_DIGEST_H
#define DSND_STORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { STORE_HASH_OCTETS = 32 };

struct store_hash {
    unsigned char octets[STORE_HASH_OCTETS];
};

/* SHA-256 of the concatenation of `count` views. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err store_hash_of(const struct dsnd_str *parts, size_t count,
                            struct store_hash *ret_hash);

/* SHA-256 of `address` with ASCII letters lower-cased: the key of a suppression. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err store_address_hash(struct dsnd_str address, struct store_hash *ret_hash);

/* Its first 8 octets as a big-endian number: the column recipient_key. */
int64_t store_hash_key(const struct store_hash *hash);

/*
 * What makes two received messages the same report: SHA-256 over the message without the trace
 * fields of its header (a retry may come by another way) and over its envelope recipients, lower
 * case and in order. Linear in the message. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err store_content_hash(struct dsnd_str octets, const struct dsnd_str *envelope_to,
                                 size_t envelope_to_count, struct store_hash *ret_hash);

#endif
