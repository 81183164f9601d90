/*
 * How fast one client may ask: a token bucket an address (IPv4 address, IPv6 /64), in a table of
 * fixed size keyed by a random hash, so that nobody can choose whose bucket he shares. Any thread.
 */
#ifndef DSND_API_LIMIT_H
#define DSND_API_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct limit;

/*
 * `per_second` requests on average, `burst` at once; 0 a second means no limit.
 * DSND_ERR_NOMEM, DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err limit_new(uint64_t per_second, uint64_t burst, struct limit **ret_limit);
void limit_free(struct limit *self);

/* Whether this client may ask now; where not, `*ret_wait_s` says in how many seconds (>= 1). */
bool limit_take(struct limit *self, const struct sockaddr *client, int64_t now_ms,
                unsigned *ret_wait_s);

#endif
