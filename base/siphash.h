/*
 * SipHash-2-4: the keyed hash for every table whose keys come from outside, so that nobody can
 * choose keys that collide. Pure, any thread.
 */
#ifndef DSND_BASE_SIPHASH_H
#define DSND_BASE_SIPHASH_H

#include <stdint.h>

#include "base/str.h"

/* Random, kept secret by the process. */
struct siphash_key {
    uint64_t k0;
    uint64_t k1;
};

uint64_t siphash(const struct siphash_key *key, struct dsnd_str octets);

#endif
