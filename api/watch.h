/*
 * Absolute deadlines of HTTP connections. libmicrohttpd's own timeout counts inactivity only, so a
 * client that sends an octet a second would live for ever; this thread shuts its socket down.
 * So it does where a client left while the server waited for octets: the library learns of the end
 * that comes together with octets only when it reads once more. Any thread may call; entries belong
 * to the watch from watch_add to watch_remove.
 */
#ifndef DSND_API_WATCH_H
#define DSND_API_WATCH_H

#include <stdbool.h>
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
/* Whether the server waits for octets of the client, as it does at first. NULL is fine. */
void watch_reading(struct watch *self, struct watch_entry *entry, bool on);
/* The end of the connection is the end of what is sent on it: where it must be cut it is reset, so
 * that the client does not take a part for the whole. `owner` of NULL: not so. NULL is fine. */
void watch_unframed(struct watch *self, struct watch_entry *entry, const void *owner);
/* Cut such connections of an owner now. */
void watch_reset(struct watch *self, const void *owner);
/* Cut one now, where it is such a connection. NULL is fine. */
void watch_break(struct watch *self, struct watch_entry *entry);
/* Before the socket is closed, or its number could mean another. NULL is fine. */
void watch_remove(struct watch *self, struct watch_entry *entry);
/* Connections shut down so far because their time was up. */
uint64_t watch_expired(struct watch *self);

#endif
