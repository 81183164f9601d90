#include "store/query.h"

#include "store/query_run.h"

/* A result is PostgreSQL's own, seen through another name: nothing has to be copied. */
const PGresult *query_result(const struct store_rows *self)
{
    return (const PGresult *)(const void *)self;
}

size_t store_rows_count(const struct store_rows *self)
{
    return self ? (size_t)PQntuples(query_result(self)) : 0;
}

struct dsnd_str store_rows_value(const struct store_rows *self, size_t row, size_t column)
{
    return pg_str(query_result(self), (int)row, (int)column);
}

void store_rows_free(struct store_rows *self)
{
    PQclear((PGresult *)(void *)self);
}

enum dsnd_err query_run(struct store_conn *conn, enum statement statement,
                        const struct pg_params *params, struct store_rows **ret_rows)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = pg_ask(conn, statement, params);

    if (!err && conn->ahead)
        conn->due = true;
    if (err || conn->ahead)
        return err;
    err = store_rows_take(conn, &rows);
    if (!err && ret_rows)
        *ret_rows = rows;
    else
        store_rows_free(rows);
    return err;
}

void store_rows_ahead(struct store_conn *conn, bool on)
{
    conn->ahead = on;
}

enum dsnd_err store_rows_take(struct store_conn *conn, struct store_rows **ret_rows)
{
    PGresult *result = NULL;
    enum dsnd_err err = pg_answer(conn, &result);

    conn->due = false;
    if (!err)
        *ret_rows = (struct store_rows *)(void *)result;
    return err;
}

bool store_rows_due(const struct store_conn *conn)
{
    return conn->due;
}

void store_rows_drop(struct store_conn *conn)
{
    struct store_rows *rows = NULL;

    if (!conn->due)
        return;
    if (!pg_has_answer(conn))
        conn->broken = true;
    else if (store_rows_take(conn, &rows) == DSND_OK)
        store_rows_free(rows);
    conn->due = false;
}

enum dsnd_err query_run_text(struct store_conn *conn, enum statement statement,
                             struct dsnd_str value, struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, value);
    err = query_run(conn, statement, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err query_one(enum dsnd_err err, struct store_rows **rows)
{
    if (err || store_rows_count(*rows) > 0)
        return err;
    store_rows_free(*rows);
    *rows = NULL;
    return DSND_ERR_NOT_FOUND;
}
