/*
 * Suppressions that are held because one text made an abnormal share of a provider's mail fail as
 * unknown users within an hour. Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_GUARD_H
#define DSND_STORE_QUERY_GUARD_H

#include <stdbool.h>

#include "store/query.h"

enum store_guard_column {
    STORE_GUARD_ID,
    STORE_GUARD_CAMPAIGN,
    STORE_GUARD_PROVIDER,
    STORE_GUARD_HOUR,
    STORE_GUARD_SIGNATURE, /* the text without addresses and numbers */
    STORE_GUARD_FAILURES,
    STORE_GUARD_SENT, /* to the provider; NULL: no longer known */
    STORE_GUARD_HELD_AT,
    STORE_GUARD_DECIDED_AT, /* NULL: waits for a person */
    STORE_GUARD_RELEASED,
    STORE_GUARD_PENDING, /* suppressions held now */
    STORE_GUARD_COLUMNS,
};
/* Newest first, those behind the id `before` (absent: all), at most `limit`. */
DSND_MUST_CHECK
enum dsnd_err store_guard_list(struct store_conn *conn, struct dsnd_str before, unsigned limit,
                               struct store_rows **ret_rows);

/*
 * Let what is held under `id` suppress (`release`), or drop it; the same goes for what the hour
 * still brings. `*ret_count` counts entries. DSND_ERR_NOT_FOUND: nothing waits under this number.
 */
DSND_MUST_CHECK
enum dsnd_err store_guard_decide(struct store_conn *conn, int64_t id, bool release,
                                 int64_t *ret_count);

#endif
