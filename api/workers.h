/*
 * Threads that make answers. The library's own threads carry octets of many connections each, so
 * whatever asks the database is done here: a slow question holds up its own connection only.
 */
#ifndef DSND_API_WORKERS_H
#define DSND_API_WORKERS_H

#include "base/err.h"

struct request;
struct workers;

/* Start `count` threads. DSND_ERR_NOMEM, DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err workers_new(unsigned count, struct workers **ret_workers);
/* End the threads when nothing is left to do. NULL is fine. */
void workers_free(struct workers *self);

/*
 * Call `work` with the request on one of the threads, in the order of calls. From then on the
 * request belongs to that thread. Any thread.
 */
void workers_add(struct workers *self, struct request *request,
                 void (*work)(struct request *request));

#endif
