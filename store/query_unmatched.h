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

/*
 * At most `limit` records received from `from_us` on and before `to_us`, with ids above `after`,
 * in order of their ids: with a text, and either unclassified or decided by one of `rules`.
 */
DSND_MUST_CHECK
enum dsnd_err store_unmatched_list(struct store_conn *conn, int64_t from_us, int64_t to_us,
                                   int64_t after, const struct dsnd_str *rules, size_t rule_count,
                                   int32_t limit, struct store_rows **ret_rows);

#endif
