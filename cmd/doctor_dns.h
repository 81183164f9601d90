/*
 * What the DNS says of the domains whose bounces are to come here. Asks the system's resolver and
 * waits for it; one thread.
 */
#ifndef DSND_CMD_DOCTOR_DNS_H
#define DSND_CMD_DOCTOR_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "ingest/tls_check.h"

enum { DOCTOR_DNS_NAME_SIZE = 256, DOCTOR_DNS_TEXT_SIZE = 1024, DOCTOR_DNS_TLSA_MAX = 16 };

/*
 * The most preferred MX of `domain` (RFC 5321 section 5.1), "." being the null MX of RFC 7505.
 * DSND_ERR_NOT_FOUND: the domain or its MX is not there; DSND_ERR_UNAVAILABLE: no answer.
 */
DSND_MUST_CHECK
enum dsnd_err doctor_dns_mx(const char *domain, char ret_host[DOCTOR_DNS_NAME_SIZE]);

/* `host` has an IPv4 or IPv6 address. */
bool doctor_dns_has_address(const char *host);

/*
 * The TXT record of `name` that begins with `version`, its strings joined, octets that are not
 * printable ASCII as '?'. DSND_ERR_NOT_FOUND, DSND_ERR_UNAVAILABLE; DSND_ERR_CONFLICT: there are
 * several, and others will heed none of them.
 */
DSND_MUST_CHECK
enum dsnd_err doctor_dns_text(const char *name, const char *version,
                              char ret_text[DOCTOR_DNS_TEXT_SIZE]);

/* The TLSA records of one name. */
struct doctor_dns_tlsa {
    struct tls_tlsa at[DOCTOR_DNS_TLSA_MAX]; /* those beyond are not looked at */
    size_t count;
    bool secure; /* the resolver says that DNSSEC vouches for them; else nobody heeds them */
};
/* Those of _25._tcp.host. DSND_ERR_NOT_FOUND, DSND_ERR_UNAVAILABLE. */
DSND_MUST_CHECK
enum dsnd_err doctor_dns_tlsa(const char *host, struct doctor_dns_tlsa *ret_records);

#endif
