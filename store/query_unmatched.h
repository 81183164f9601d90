/*
 * Texts that no rule of their own decided: what a list of them is made of. Ids and times bound what
 * is read, never more than the days asked for.
 */
#ifndef DSND_STORE_QUERY_UNMATCHED_H
#define DSND_STORE_QUERY_UNMATCHED_H

#include "store/query.h"

enum store_unmatched_column {
    STORE_UNMATCHED_ID,
    STORE_UNMATCHED_AT, /* RFC 3339 */
    STORE_UNMATCHED_PROVIDER,
    STORE_UNMATCHED_RULE,
    STORE_UNMATCHED_DIAGNOSTIC,
    STORE_UNMATCHED_COLUMNS,
};

/* Received from `from_us` on and before `to_us`; unclassified, or decided by one of `rules`. */
struct store_unmatched_filter {
    int64_t from_us;
    int64_t to_us;
    const struct dsnd_str *rules;
    size_t rule_count;
};

/* At most `limit` such records that have a text, with ids above `after`, in order of their ids. */
DSND_MUST_CHECK
enum dsnd_err store_unmatched_list(struct store_conn *conn,
                                   const struct store_unmatched_filter *filter, int64_t after,
                                   int32_t limit, struct store_rows **ret_rows);

#endif
