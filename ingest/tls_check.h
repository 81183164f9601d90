/*
 * A certificate as others will see it: whether its chain leads to a root that this machine trusts,
 * whether it names the host, and whether TLSA records (RFC 6698, RFC 7672) speak of it. For
 * diagnosis, not for sessions. Any thread.
 */
#ifndef DSND_INGEST_TLS_CHECK_H
#define DSND_INGEST_TLS_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { TLS_TLSA_OCTETS = 1024 };

/* One TLSA record; the numbers are the protocol's. */
struct tls_tlsa {
    uint8_t usage;
    uint8_t selector;
    uint8_t matching;
    size_t len;
    unsigned char octets[TLS_TLSA_OCTETS];
};

struct tls_chain;

/*
 * The chain that a client asking for `host` gets, of the PEM files `cert_files` (comma-separated,
 * as tls_context_new takes them). DSND_ERR_NOT_FOUND: none names the host, and `*ret_chain` is the
 * first; DSND_ERR_SYNTAX: no certificate can be read, and `*ret_chain` is NULL.
 */
DSND_MUST_CHECK
enum dsnd_err tls_chain_load(const char *cert_files, const char *host,
                             struct tls_chain **ret_chain);
void tls_chain_free(struct tls_chain *self);

/* NULL where the chain verifies against the system's roots; else why not, in words; static. */
const char *tls_chain_doubt(const struct tls_chain *self);

/* The record matches this chain; `usage` 0 and 2 mean an issuer in it, 1 and 3 its own certificate.
 */
bool tls_chain_matches(const struct tls_chain *self, const struct tls_tlsa *record);

#endif
