/*
 * Families of mailbox providers and of mail gateways, known by the names of their hosts and
 * domains. The table is parse/providers.def; an operator can add to it by a file. A set is what
 * such a file says beside the table, immutable after reading; NULL is the table alone. Pure
 * functions, any thread.
 */
#ifndef DSND_PARSE_PROVIDER_H
#define DSND_PARSE_PROVIDER_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum { PROVIDER_FAMILIES_MAX = 256, PROVIDER_DOMAINS_MAX = 4000, PROVIDER_VERSION_CHARS = 8 };

struct provider_set;

/*
 * From lines "family domain ...": a new family, or more domains of one there is. A domain stands
 * for all that lies under it, "name.*" for name under every public suffix; of equal domains the
 * file's goes before the table's. '#' begins a comment. DSND_ERR_SYNTAX: `error` (of `error_size`)
 * names the line and what is allowed; DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err provider_set_read(struct dsnd_str text, char *error, size_t error_size,
                                struct provider_set **ret_set);
void provider_set_free(struct provider_set *set);
/* What tells two files apart; absent for NULL. */
struct dsnd_str provider_set_version(const struct provider_set *set);

/* Number of families; an index is below it and has no meaning outside of the set. */
size_t provider_count(const struct provider_set *set);
/* The name of a family ("google"), borrowed from the set. */
struct dsnd_str provider_name(const struct provider_set *set, size_t index);
/* The index of a family's name, or provider_count(). */
size_t provider_index(const struct provider_set *set, struct dsnd_str name);
/*
 * The index of the family of a domain or MX host, or provider_count(). Case, a dot at the end and
 * what follows a space are ignored.
 */
size_t provider_index_of(const struct provider_set *set, struct dsnd_str host);
/* The same as a name; absent if unknown. */
struct dsnd_str provider_of(const struct provider_set *set, struct dsnd_str host);

#endif
