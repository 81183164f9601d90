/*
 * One batch of stored reports that are judged again: what they were (struct again_item) beside what
 * they become (struct write_item of the span). The order of locks is that of store/write_span.h,
 * after the lock against erasure and the rows of report. Private to store/.
 */
#ifndef DSND_STORE_RECLASSIFY_SPAN_H
#define DSND_STORE_RECLASSIFY_SPAN_H

#include "store/reclassify.h"
#include "store/write_span.h"

/* A row of status as it is. */
struct again_old {
    struct write_status status;
    struct report_recipient recipient;
    int64_t campaign_id;
    struct dsnd_str rules_version;
    bool changes; /* it is written anew or dropped */
};

struct again_item {
    int64_t id;
    int64_t campaign_id;
    int64_t received_us;
    struct dsnd_str campaign_key;
    struct dsnd_str rules_version;
    struct report report; /* recipients: those of `olds` */
    enum store_attribution attribution;
    enum store_evidence evidence;
    struct again_old *olds;
    size_t old_count;
    bool parsed; /* from the raw message: attributed again as well */
    bool fixed;  /* erased, or it cannot be judged: stays as it is */
    bool changes;
};

struct again {
    struct write_span span;
    const struct store_reclassify *what;
    struct again_item *items;
    PGresult *reports; /* views borrow from the results */
    PGresult *statuses;
    PGresult *events;
    int64_t low;    /* ids of all rows of the batch lie from here ... */
    int64_t high;   /* ... to below this */
    int64_t last;   /* report of the batch with the largest id; 0: there was none */
    size_t written; /* records that change */
    size_t changed; /* those that change in more than the version */
    struct delivery *gone;
    size_t gone_count;
};

/* reclassify_load.c: reports after `after` and before `end`, judged and attributed. */
DSND_MUST_CHECK
enum dsnd_err again_load(struct again *self, int64_t after, int64_t end);

/* reclassify_compare.c: mark what changes, number new rows, count records into the totals. */
DSND_MUST_CHECK
enum dsnd_err again_compare(struct again *self);
/* Tell of each record that changes, once it is stored. */
void again_tell(const struct again *self);
/* The event that a record and its report make of a delivery; its evidence and id are known. */
void again_event(const struct again *self, const struct report *report, struct write_status *status,
                 int64_t received_us);

/* reclassify_delivery.c: deliveries as all their records say, and what that does to the totals. */
DSND_MUST_CHECK
enum dsnd_err again_deliveries(struct again *self);

/* reclassify_rows.c: all rows of the batch, the position of the run, and the commit. */
DSND_MUST_CHECK
enum dsnd_err again_rows(struct again *self, int64_t run);
/* What a dry run keeps for its end. */
DSND_MUST_CHECK
enum dsnd_err again_keep(struct again *self);

/* reclassify_suppress.c: suppressions of all addresses concerned. */
DSND_MUST_CHECK
enum dsnd_err again_suppress(struct store_conn *conn, const struct store_reclassify *what,
                             struct store_reclassify_counts *counts);

#endif
