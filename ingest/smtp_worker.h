/*
 * One thread for what takes longer than a loop may wait: the hashes of passwords. First come, first
 * served. Any thread.
 */
#ifndef DSND_INGEST_SMTP_WORKER_H
#define DSND_INGEST_SMTP_WORKER_H

#include "base/err.h"

/* One piece of work; belongs to the caller, and to the worker from smtp_worker_put to `run`. */
struct smtp_work {
    void (*run)(void *context); /* on the worker's thread */
    void *context;
    struct smtp_work *next;
};

struct smtp_worker;

/* DSND_ERR_NOMEM, DSND_ERR_IO: no thread. */
DSND_MUST_CHECK
enum dsnd_err smtp_worker_new(struct smtp_worker **ret_worker);
/* Nothing may wait any more. NULL is fine. */
void smtp_worker_free(struct smtp_worker *self);

void smtp_worker_put(struct smtp_worker *self, struct smtp_work *work);

#endif
