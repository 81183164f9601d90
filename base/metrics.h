/*
 * Counters and gauges of all processes of one service, in one table of text and numbers.
 *
 * Each process adds into a slot of its own; the slots lie in one shared memory region when the
 * supervisor made it before starting its children, else in memory of the process alone. The scrape
 * adds the slots up. Never an address or a campaign as a label. Any thread.
 */
#ifndef DSND_BASE_METRICS_H
#define DSND_BASE_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/metrics_table.h"

enum metric {
#define METRIC_ROW(id, name, labels, type, help) METRIC_##id,
    METRICS_TABLE(METRIC_ROW)
#undef METRIC_ROW
        METRIC_COUNT
};

/* Which process of the service this one is. */
enum metrics_slot {
    METRICS_SLOT_SERVE,
    METRICS_SLOT_RECEIVE,
    METRICS_SLOT_PIPELINE,
    METRICS_SLOT_API,
    METRICS_SLOT_RELAY,
    METRICS_SLOT_WEBHOOKS,
    METRICS_SLOT_LOOKUP,
    METRICS_SLOT_COUNT,
};

/*
 * Make the shared region and return its descriptor, inheritable, for the children (the supervisor
 * calls it once). DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err metrics_share(int *ret_fd);
/* Use the region behind `fd` (from metrics_share), or memory of this process alone where fd < 0. */
DSND_MUST_CHECK
enum dsnd_err metrics_attach(int fd, enum metrics_slot slot);

void metrics_add(enum metric metric, uint64_t n);     /* counters */
void metrics_set(enum metric metric, uint64_t value); /* gauges: the slot's own value */
uint64_t metrics_get(enum metric metric);             /* the sum over all slots */

/* The whole table in the Prometheus text format 0.0.4. Errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err metrics_write(struct dsnd_buf *out);

#endif
