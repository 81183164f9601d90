/*
 * Requests that wait for a change of the suppression list. They hold no thread and no database
 * connection: libmicrohttpd suspends them, one thread looks at the feed's number a few times a
 * second while anybody waits, and resumes those for whom there is news or whose time is up.
 */
#ifndef DSND_API_WAITERS_H
#define DSND_API_WAITERS_H

#include <stdbool.h>
#include <stdint.h>

#include "api/database.h"
#include "base/err.h"

struct request;
struct waiters;

/* `database` is borrowed. DSND_ERR_NOMEM, DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err waiters_new(struct database *database, struct waiters **ret_waiters);
/* Resume all and let nobody wait any more; then the listeners can be stopped. May be repeated. */
void waiters_stop(struct waiters *self);
void waiters_free(struct waiters *self); /* after waiters_stop */

/* Suspend `request` until a change behind `after`, at most `ms`. False: it may not wait. */
bool waiters_add(struct waiters *self, struct request *request, int64_t after, int64_t ms);

#endif
