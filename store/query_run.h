/*
 * How the query files run a statement: a prepared statement whose columns are text. Private to
 * store/. Errors as pg_run.
 */
#ifndef DSND_STORE_QUERY_RUN_H
#define DSND_STORE_QUERY_RUN_H

#include "store/pg.h"
#include "store/query.h"

/* PostgreSQL's result behind rows. */
const PGresult *query_result(const struct store_rows *self);
/* `ret_rows` may be NULL where the rows do not matter. */
DSND_MUST_CHECK
enum dsnd_err query_run(struct store_conn *conn, enum statement statement,
                        const struct pg_params *params, struct store_rows **ret_rows);
/* The same with one text parameter. */
DSND_MUST_CHECK
enum dsnd_err query_run_text(struct store_conn *conn, enum statement statement,
                             struct dsnd_str value, struct store_rows **ret_rows);
/* Hand `err` on; where it is none but there is no row, free them: DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err query_one(enum dsnd_err err, struct store_rows **rows);
/* Decompress the one row (octets, zstd frame) that `statement` finds for the id, into `out`. */
DSND_MUST_CHECK
enum dsnd_err query_raw(struct store_conn *conn, enum statement statement, struct dsnd_str id,
                        struct dsnd_buf *out);

#endif
