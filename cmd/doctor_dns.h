/*
 * What the DNS says of the domains whose bounces are to come here. Asks the system's resolver and
 * waits for it; one thread.
 */
#ifndef DSND_CMD_DOCTOR_DNS_H
#define DSND_CMD_DOCTOR_DNS_H

#include <stdbool.h>

#include "base/err.h"

enum { DOCTOR_DNS_NAME_SIZE = 256 };

/*
 * The most preferred MX of `domain` (RFC 5321 section 5.1), "." being the null MX of RFC 7505.
 * DSND_ERR_NOT_FOUND: the domain or its MX is not there; DSND_ERR_UNAVAILABLE: no answer.
 */
DSND_MUST_CHECK
enum dsnd_err doctor_dns_mx(const char *domain, char ret_host[DOCTOR_DNS_NAME_SIZE]);

/* `host` has an IPv4 or IPv6 address. */
bool doctor_dns_has_address(const char *host);

#endif
