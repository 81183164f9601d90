#include "store/query_guard.h"

#include "store/query_run.h"

enum dsnd_err store_guard_list(struct store_conn *conn, struct dsnd_str before, unsigned limit,
                               struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, before);
    pg_add_i64(&params, limit);
    err = query_run(conn, STATEMENT_GUARD_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_guard_decide(struct store_conn *conn, int64_t id, bool release,
                                 int64_t *ret_count)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    pg_add_bool(&params, release);
    err = query_run(conn, STATEMENT_GUARD_DECIDE, &params, &rows);
    if (!err && !dsnd_str_present(store_rows_value(rows, 0, 0)))
        err = DSND_ERR_NOT_FOUND;
    if (!err)
        *ret_count = store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}
