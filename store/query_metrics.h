/*
 * Registered sends, and series of counts. Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_METRICS_H
#define DSND_STORE_QUERY_METRICS_H

#include <stdbool.h>

#include "store/query.h"

/* One message to one recipient that the sender registers. Views are borrowed for the call. */
struct store_send {
    struct dsnd_str campaign;
    struct dsnd_str ref;
    struct dsnd_str recipient; /* absent when only the ref is known */
    struct dsnd_str message_id;
    struct dsnd_str envelope_id;
    struct dsnd_str provider; /* empty when unknown */
    int64_t sent_us;
};
/*
 * Register, all or nothing; campaigns are made where they are missing, and what was registered
 * before changes nothing. One row a send in their order: "true" where it is new. Repeats itself
 * where another transaction stood in the way.
 */
DSND_MUST_CHECK
enum dsnd_err store_send_add(struct store_conn *conn, const struct store_send *sends, size_t count,
                             struct store_rows **ret_rows);

enum store_interval {
    STORE_INTERVAL_HOUR,
    STORE_INTERVAL_DAY,
    STORE_INTERVAL_NONE, /* all in one */
};

struct store_metrics_filter {
    struct dsnd_str campaign;  /* absent: all */
    struct dsnd_str from;      /* time text */
    struct dsnd_str to;        /* time text, before it */
    struct dsnd_str time_zone; /* IANA name: where hours and days begin */
    enum store_interval interval;
    bool whole_hours; /* hours of the zone begin with those of UTC, and so do `from` and `to` */
    bool by_sent;     /* by the time of sending, rather than that of the report */
    bool by_provider;
    bool by_class;
    bool by_campaign;
};

enum store_metrics_column {
    STORE_METRICS_T, /* NULL with STORE_INTERVAL_NONE */
    STORE_METRICS_PROVIDER,
    STORE_METRICS_CLASS,
    STORE_METRICS_CAMPAIGN,
    STORE_METRICS_SENT, /* registered; by class: of all classes together */
    STORE_METRICS_FAILED,
    STORE_METRICS_HARD,
    STORE_METRICS_SOFT,
    STORE_METRICS_BLOCK,
    STORE_METRICS_DELIVERED,
    STORE_METRICS_HANDED_OFF,
    STORE_METRICS_DELAY_OPEN,
    STORE_METRICS_DELAYED,
    STORE_METRICS_COMPLAINED,
    STORE_METRICS_STATUSES, /* this and the next: 0 by the time of sending */
    STORE_METRICS_PROVEN,
    STORE_METRICS_COLUMNS,
};
/* What was sent at a time that is not known is found by its time of sending before this one. */
#define STORE_METRICS_UNDATED_FROM DSND_STR("-infinity")
#define STORE_METRICS_UNDATED_TO DSND_STR("0001-01-01T00:00:00Z")
/* In order of time, then dimensions; at most `limit` rows. */
DSND_MUST_CHECK
enum dsnd_err store_metrics(struct store_conn *conn, const struct store_metrics_filter *filter,
                            unsigned limit, struct store_rows **ret_rows);

/* Sets `whole_hours` from the zone and the time. DSND_ERR_NOT_FOUND: PostgreSQL knows no zone of
 * this name. */
DSND_MUST_CHECK
enum dsnd_err store_metrics_zone(struct store_conn *conn, struct store_metrics_filter *filter);

#endif
