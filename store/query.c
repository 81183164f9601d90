#include "store/query.h"

#include "store/query_run.h"

/* A result is PostgreSQL's own, seen through another name: nothing has to be copied. */
static const PGresult *result_of(const struct store_rows *self)
{
    return (const PGresult *)(const void *)self;
}

size_t store_rows_count(const struct store_rows *self)
{
    return self ? (size_t)PQntuples(result_of(self)) : 0;
}

struct dsnd_str store_rows_value(const struct store_rows *self, size_t row, size_t column)
{
    return pg_str(result_of(self), (int)row, (int)column);
}

int64_t store_rows_int(const struct store_rows *self, size_t row, size_t column)
{
    struct dsnd_str text = store_rows_value(self, row, column);
    bool negative = text.len > 0 && text.ptr[0] == '-';
    uint64_t value = 0;

    if (dsnd_str_to_u64(dsnd_str_slice(text, negative ? 1 : 0, text.len), INT64_MAX, &value))
        return 0;
    return negative ? -(int64_t)value : (int64_t)value;
}

void store_rows_free(struct store_rows *self)
{
    PQclear((PGresult *)(void *)self);
}

enum dsnd_err query_run(struct store_conn *conn, enum statement statement,
                        const struct pg_params *params, struct store_rows **ret_rows)
{
    PGresult *result = NULL;
    enum dsnd_err err = pg_run(conn, statement, params, &result);

    if (err)
        return err;
    if (ret_rows)
        *ret_rows = (struct store_rows *)(void *)result;
    else
        PQclear(result);
    return DSND_OK;
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
