#include "store/query_webhook.h"

#include "store/query_run.h"

enum dsnd_err store_webhook_list(struct store_conn *conn, struct dsnd_str before, unsigned limit,
                                 struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, before);
    pg_add_i64(&params, limit);
    err = query_run(conn, STATEMENT_WEBHOOK_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

/* The one number of the one row; DSND_ERR_NOT_FOUND without a row. Ends the parameters. */
static enum dsnd_err run_number(struct store_conn *conn, enum statement statement,
                                struct pg_params *params, int64_t *ret_number)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = query_one(query_run(conn, statement, params, &rows), &rows);

    if (!err)
        *ret_number = store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    pg_params_done(params);
    return err;
}

enum dsnd_err store_webhook_add(struct store_conn *conn, struct dsnd_str url, int32_t events,
                                struct dsnd_str secret, int64_t *ret_id)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, url);
    pg_add_i32(&params, events);
    pg_add_text(&params, secret);
    pg_add_i64(&params, STORE_WEBHOOKS_MAX);
    err = run_number(conn, STATEMENT_WEBHOOK_ADD, &params, ret_id);
    return err == DSND_ERR_NOT_FOUND ? DSND_ERR_LIMIT : err;
}

enum dsnd_err store_webhook_remove(struct store_conn *conn, int64_t id)
{
    struct pg_params params;
    int64_t removed;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    return run_number(conn, STATEMENT_WEBHOOK_REMOVE, &params, &removed);
}

enum dsnd_err store_webhook_replay(struct store_conn *conn, int64_t id, int64_t *ret_count)
{
    struct pg_params params;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    return run_number(conn, STATEMENT_WEBHOOK_REPLAY, &params, ret_count);
}

enum dsnd_err store_webhook_claim(struct store_conn *conn, int64_t lease_ms,
                                  struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    *ret_rows = NULL;
    pg_params_init(&params);
    pg_add_i64(&params, lease_ms);
    err = query_one(query_run(conn, STATEMENT_WEBHOOK_CLAIM, &params, ret_rows), ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_webhook_events(struct store_conn *conn, int64_t id, unsigned limit,
                                   struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    pg_add_i64(&params, limit);
    err = query_run(conn, STATEMENT_WEBHOOK_EVENTS, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_webhook_delivered(struct store_conn *conn, int64_t id,
                                      const struct store_rows *events, size_t count, int status)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    pg_array_begin(&params, PG_INT8);
    for (size_t i = 0; i < count; i++)
        pg_elem_i64(&params, store_rows_int(events, i, STORE_EVENT_SEQ));
    pg_array_end(&params);
    pg_add_i16(&params, (int16_t)status);
    err = query_run(conn, STATEMENT_WEBHOOK_DELIVERED, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_webhook_failed(struct store_conn *conn, int64_t id,
                                   const struct store_webhook_failure *failure, int64_t *ret_dead)
{
    struct pg_params params;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    if (failure->status)
        pg_add_i16(&params, (int16_t)failure->status);
    else
        pg_add_null(&params);
    pg_add_text(&params, failure->reason);
    pg_add_i64(&params, failure->wait_ms);
    pg_add_i64(&params, failure->keep_ms);
    return run_number(conn, STATEMENT_WEBHOOK_FAILED, &params, ret_dead);
}

enum dsnd_err store_webhook_count(struct store_conn *conn, int64_t *ret_waiting, int64_t *ret_dead)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = query_one(query_run(conn, STATEMENT_WEBHOOK_COUNT, NULL, &rows), &rows);

    if (!err) {
        *ret_waiting = store_rows_int(rows, 0, 0);
        *ret_dead = store_rows_int(rows, 0, 1);
    }
    store_rows_free(rows);
    return err;
}
