/*
 * Absolute deadlines of HTTP connections. libmicrohttpd's own timeout counts inactivity only, so a
 * client that sends an octet a second would live for ever; this thread shuts its socket down.
 * Any thread may call; entries belong to the watch from watch_add to watch_remove.
 */
#ifndef DSND_API_WATCH_H
#define DSND_API_WATCH_H

#include <stdint.h>

#include "base/err.h"

struct watch;
struct watch_entry;

/* Starts the thread. DSND_ERR_NOMEM, DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err watch_new(struct watch **ret_watch);
void watch_free(struct watch *self); /* ends the thread; no entry may be left */

/* Watch a socket: shut it down in `ms` unless the deadline is moved. NULL without memory. */
struct watch_entry *watch_add(struct watch *self, int fd, int64_t ms);
/* Move the deadline: `ms` from now. NULL is fine. */
void watch_set(struct watch *self, struct watch_entry *entry, int64_t ms);
/* Before the socket is closed, or its number could mean another. NULL is fine. */
void watch_remove(struct watch *self, struct watch_entry *entry);
/* Connections shut down so far. */
uint64_t watch_expired(struct watch *self);

#endif
