/*
 * How long things take: open delays by age, times to failure and to the end of a delay. Errors as
 * store/query.h says.
 */
#ifndef DSND_STORE_QUERY_TIMING_H
#define DSND_STORE_QUERY_TIMING_H

#include "store/query.h"

enum store_delay_column {
    STORE_DELAY_PROVIDER,
    STORE_DELAY_OPEN, /* deliveries delayed now: the sum of the next four */
    STORE_DELAY_UNDER_1H,
    STORE_DELAY_UNDER_6H,
    STORE_DELAY_UNDER_1D,
    STORE_DELAY_OLDER,
    STORE_DELAY_OLDEST_AT, /* NULL where none is open */
    STORE_DELAY_DELIVERED, /* this and the next: what became of those that are closed */
    STORE_DELAY_HANDED_OFF,
    STORE_DELAY_FAILED,
    STORE_DELAY_EXPIRED,
    STORE_DELAY_COLUMNS,
};
/* By provider, most open first; of all campaigns where `campaign` is absent. */
DSND_MUST_CHECK
enum dsnd_err store_delay_list(struct store_conn *conn, struct dsnd_str campaign,
                               struct store_rows **ret_rows);

enum store_timing_column {
    STORE_TIMING_PROVIDER,
    STORE_TIMING_FAILURES, /* failed deliveries whose time of sending is registered */
    STORE_TIMING_FAILURE_P50_S,
    STORE_TIMING_FAILURE_P95_S,
    STORE_TIMING_DELAYS, /* delays that ended as delivered, handed off or failed */
    STORE_TIMING_DELAY_P50_S,
    STORE_TIMING_DELAY_P95_S,
    STORE_TIMING_COLUMNS,
};
/* By provider; the seconds are NULL where there is nothing to take them of. */
DSND_MUST_CHECK
enum dsnd_err store_campaign_timings(struct store_conn *conn, struct dsnd_str key,
                                     struct store_rows **ret_rows);

#endif
