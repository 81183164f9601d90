/*
 * Requests that wait for a change of the suppression list. They hold no thread and no database
 * connection: one thread looks at the feed's number a few times a second while anybody waits, and
 * resumes those for whom there is news or whose time is up.
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

/* Resume a suspended request at a change behind its `wait_after`, after its `wait_ms` at the
 * latest. It belongs to the waiters from then on. False: it may not wait, and stays the caller's.
 */
bool waiters_add(struct waiters *self, struct request *request);
/* Let nobody wait any longer who waits now. */
void waiters_hurry(struct waiters *self);

#endif
