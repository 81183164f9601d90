/*
 * Receipts that wait for the relay: what its one sender asks for. Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_RECEIPT_H
#define DSND_STORE_QUERY_RECEIPT_H

#include <stdbool.h>

#include "store/query.h"

/*
 * Whether this connection is the sender's: of all connections to the database one is, until it
 * ends. Call it once for a connection until it says so.
 */
DSND_MUST_CHECK
enum dsnd_err store_receipt_lead(struct store_conn *conn, bool *ret_mine);

enum store_receipt_column {
    STORE_RECEIPT_ID,
    STORE_RECEIPT_RECIPIENT,
    STORE_RECEIPT_FAILURES, /* attempts so far */
    STORE_RECEIPT_AGE_MS,
    STORE_RECEIPT_MESSAGE, /* octets, not text */
};
/* The receipt that is due longest; DSND_ERR_NOT_FOUND when none is. */
DSND_MUST_CHECK
enum dsnd_err store_receipt_next(struct store_conn *conn, struct store_rows **ret_rows);
/* It was taken, or given up. */
DSND_MUST_CHECK
enum dsnd_err store_receipt_remove(struct store_conn *conn, int64_t id);
/* It was not taken, because of `reason`: try again in `wait_ms`. */
DSND_MUST_CHECK
enum dsnd_err store_receipt_later(struct store_conn *conn, int64_t id, int64_t wait_ms,
                                  struct dsnd_str reason);
/* How many wait. */
DSND_MUST_CHECK
enum dsnd_err store_receipt_count(struct store_conn *conn, int64_t *ret_count);

#endif
