/*
 * Messages parsed by several threads, their lines written in the order the messages were given. One
 * thread gives messages and writes; a worker reads only its own copy of a message.
 */
#ifndef DSND_CMD_PARSE_POOL_H
#define DSND_CMD_PARSE_POOL_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { PARSE_POOL_THREADS_MAX = 256 };

/* Append the line of one message to `line`; `worker` is used by one thread at a time. */
typedef enum dsnd_err (*parse_pool_fn)(void *worker, struct dsnd_str name, struct dsnd_str message,
                                       struct dsnd_buf *line);

struct parse_pool;

/*
 * Start a thread for each of the `count` (1 to PARSE_POOL_THREADS_MAX) workers, which are borrowed,
 * as is `out`. DSND_ERR_NOMEM, DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err parse_pool_new(void *const *workers, size_t count, parse_pool_fn parse, FILE *out,
                             struct parse_pool **ret_pool);
/* Stop the threads. What was not written is lost. */
void parse_pool_free(struct parse_pool *self);

/*
 * Take a copy of one message; waits while many are under way. The first error of a message before
 * it sticks: everything before that one has been written, nothing behind it is. DSND_ERR_IO: `out`.
 */
DSND_MUST_CHECK
enum dsnd_err parse_pool_put(struct parse_pool *self, struct dsnd_str name,
                             struct dsnd_str message);

/* Wait for all and write them. Errors as parse_pool_put. */
DSND_MUST_CHECK
enum dsnd_err parse_pool_finish(struct parse_pool *self);

#endif
