#include "store/query_receipt.h"

#include "store/query_run.h"

enum dsnd_err store_receipt_lead(struct store_conn *conn, bool *ret_mine)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = query_run(conn, STATEMENT_RECEIPT_LEAD, NULL, &rows);

    if (!err)
        *ret_mine = store_rows_int(rows, 0, 0) != 0;
    store_rows_free(rows);
    return err;
}

enum dsnd_err store_receipt_next(struct store_conn *conn, struct store_rows **ret_rows)
{
    *ret_rows = NULL;
    return query_one(query_run(conn, STATEMENT_RECEIPT_NEXT, NULL, ret_rows), ret_rows);
}

enum dsnd_err store_receipt_remove(struct store_conn *conn, int64_t id)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    err = query_run(conn, STATEMENT_RECEIPT_REMOVE, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_receipt_later(struct store_conn *conn, int64_t id, int64_t wait_ms,
                                  struct dsnd_str reason)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    pg_add_i64(&params, wait_ms);
    pg_add_text(&params, reason);
    err = query_run(conn, STATEMENT_RECEIPT_LATER, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_receipt_count(struct store_conn *conn, int64_t *ret_count)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = query_run(conn, STATEMENT_RECEIPT_COUNT, NULL, &rows);

    if (!err)
        *ret_count = store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    return err;
}
