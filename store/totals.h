/*
 * What a batch adds to the totals: increments by (campaign, hour, provider, class), summed up, and
 * folded into coarser keys. One thread.
 */
#ifndef DSND_STORE_TOTALS_H
#define DSND_STORE_TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/report.h"

/* The columns that batches change, in the order of the tables. */
enum total {
    TOTAL_FAILED,
    TOTAL_HARD,
    TOTAL_SOFT,
    TOTAL_BLOCK,
    TOTAL_DELIVERED,
    TOTAL_HANDED_OFF,
    TOTAL_DELAY_OPEN,
    TOTAL_DELAYED,
    TOTAL_COMPLAINED,
    TOTAL_STATUSES,
    TOTAL_PROVEN,
    TOTAL_COUNT,
};

struct total_key {
    int64_t campaign_id;
    int64_t us; /* any time within the quarter of an hour */
    struct dsnd_str provider;
    enum report_class klass;
};

struct total_row {
    int64_t campaign_id;
    int64_t hour_us; /* where the quarter begins */
    struct dsnd_str provider;
    int16_t klass;
    int64_t counts[TOTAL_COUNT];
};

struct totals {
    struct dsnd_arena *arena; /* borrowed; holds the rows */
    struct total_row *rows;
    size_t count;
    size_t size;
};

void totals_init(struct totals *self, struct dsnd_arena *arena);
/* Add `n` (may be negative) to one count of `key`. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err totals_add(struct totals *self, const struct total_key *key, enum total total, int n);

/* One row a key, without rows that change nothing, in order of their keys. */
void totals_merge(struct totals *self);
/* Forget the time; then provider and class as well; each time merge. */
void totals_fold_hours(struct totals *self);
void totals_fold_breakdown(struct totals *self);

#endif
