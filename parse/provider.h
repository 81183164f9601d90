/*
 * Families of mailbox providers and of mail gateways, known by the names of their hosts and
 * domains. The table is parse/providers.def. Pure functions, any thread.
 */
#ifndef DSND_PARSE_PROVIDER_H
#define DSND_PARSE_PROVIDER_H

#include <stddef.h>

#include "base/str.h"

/* Number of families; an index is 0 to PROVIDER_COUNT - 1 and has no meaning outside a process. */
size_t provider_count(void);
/* The name of a family ("google"), static. */
struct dsnd_str provider_name(size_t index);
/* The index of a family's name, or provider_count(). */
size_t provider_index(struct dsnd_str name);
/*
 * The index of the family of a domain or MX host, or provider_count(). Case, a dot at the end and
 * what follows a space are ignored.
 */
size_t provider_index_of(struct dsnd_str host);

#endif
