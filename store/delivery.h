/*
 * The state of a delivery: the strongest outcome reported so far. What it ends up as depends on the
 * set of records only, never on the order in which they arrive. Pure, any thread.
 */
#ifndef DSND_STORE_DELIVERY_H
#define DSND_STORE_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "parse/report.h"
#include "store/codes.h"
#include "store/totals.h"

/* One record as far as it moves a delivery. */
struct delivery_event {
    enum store_state state; /* STORE_STATE_SENT: it moves no state */
    bool complaint;
    enum report_class klass;
    enum store_kind kind;     /* of a failure */
    struct dsnd_str provider; /* never absent */
    int64_t us;               /* when its report was received */
    int64_t minted_us;        /* the day of its signed return path; 0: it came to none */
    int64_t status_id;
};

/* A row of the table delivery. */
struct delivery {
    int64_t campaign_id;
    struct dsnd_str ref;
    bool exists;  /* in the database */
    bool changed; /* since it was read */
    enum store_state state;
    enum report_class klass;
    enum store_kind kind;
    struct dsnd_str provider;
    int64_t outcome_us;
    int64_t status_id;
    int64_t delayed_us; /* 0: never delayed; the same for the next two */
    enum report_class delayed_class;
    struct dsnd_str delayed_provider;
    int64_t delay_expired_us;
    int64_t complained_us;
    struct dsnd_str complained_provider;
    int64_t sent_us; /* as registered, else the first day a return path was minted; 0: unknown */
    bool sent_registered; /* the former */
};

/* The event of one recipient of a report; false where it moves nothing. */
bool delivery_event_of(const struct report *report, const struct report_recipient *recipient,
                       struct delivery_event *ret_event);

/*
 * The class by whose policy a failure may suppress: that of the last reply where the life of the
 * queue ended, whatever that reply promised. NONE: it may not under any, being passing or at the
 * sender's fault.
 */
enum report_class delivery_suppressing_class(const struct report_recipient *recipient);

/* Take one record into account; `self->changed` tells whether anything moved. */
void delivery_apply(struct delivery *self, const struct delivery_event *event);

/* Add (`sign` 1) or take away (-1) what the delivery counts for. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err delivery_count(const struct delivery *self, int sign, struct totals *totals);

/* Part of the failure rate: by class, else by permanence. */
enum store_kind delivery_kind(enum report_class klass, enum report_permanence permanence);
/* Which of two classes names a delivery: the lower rank. */
int delivery_class_rank(enum report_class klass);

#endif
