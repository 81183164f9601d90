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

/* The one row of a statement; ends the parameters. */
static enum dsnd_err run_row(struct store_conn *conn, enum statement statement,
                             struct pg_params *params, struct store_rows **ret_rows)
{
    enum dsnd_err err = query_one(query_run(conn, statement, params, ret_rows), ret_rows);

    pg_params_done(params);
    return err;
}

enum dsnd_err store_webhook_get(struct store_conn *conn, int64_t id, struct store_rows **ret_rows)
{
    struct pg_params params;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    return run_row(conn, STATEMENT_WEBHOOK_GET, &params, ret_rows);
}

enum dsnd_err store_webhook_set(struct store_conn *conn, int64_t id,
                                const struct store_webhook_change *change)
{
    struct pg_params params;
    int64_t changed;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    pg_add_text(&params, change->url);
    if (change->events)
        pg_add_i32(&params, change->events);
    else
        pg_add_null(&params);
    if (change->enabled < 0)
        pg_add_null(&params);
    else
        pg_add_bool(&params, change->enabled == 1);
    return run_number(conn, STATEMENT_WEBHOOK_SET, &params, &changed);
}

enum dsnd_err store_webhook_rotate(struct store_conn *conn, int64_t id, struct dsnd_str secret,
                                   int64_t overlap_s, struct store_rows **ret_rows)
{
    struct pg_params params;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    pg_add_text(&params, secret);
    pg_add_i64(&params, overlap_s);
    return run_row(conn, STATEMENT_WEBHOOK_ROTATE, &params, ret_rows);
}

enum dsnd_err store_webhook_try(struct store_conn *conn, int64_t id, struct store_rows **ret_rows)
{
    struct pg_params params;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    return run_row(conn, STATEMENT_WEBHOOK_TRY, &params, ret_rows);
}

enum dsnd_err store_webhook_deliveries(struct store_conn *conn, int64_t id, struct dsnd_str before,
                                       unsigned limit, struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    pg_add_text(&params, before);
    pg_add_i64(&params, limit);
    err = query_run(conn, STATEMENT_WEBHOOK_DELIVERIES, &params, ret_rows);
    pg_params_done(&params);
    return err;
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
                                   int64_t octets, struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    pg_add_i32(&params, (int32_t)limit);
    pg_add_i64(&params, octets);
    err = query_run(conn, STATEMENT_WEBHOOK_EVENTS, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

/* What both ends of an attempt are told. */
static void add_attempt(struct pg_params *params, const struct store_webhook_attempt *attempt)
{
    pg_add_i64(params, attempt->id);
    pg_array_begin(params, PG_INT8);
    for (size_t i = 0; i < store_rows_count(attempt->events); i++)
        pg_elem_i64(params, store_rows_int(attempt->events, i, STORE_EVENT_SEQ));
    pg_array_end(params);
    pg_add_text(params, attempt->message);
    pg_add_i32(params, (int32_t)attempt->octets);
    pg_add_i32(params, (int32_t)attempt->duration_ms);
    if (attempt->status)
        pg_add_i16(params, (int16_t)attempt->status);
    else
        pg_add_null(params);
}

enum dsnd_err store_webhook_delivered(struct store_conn *conn,
                                      const struct store_webhook_attempt *attempt)
{
    struct pg_params params;
    int64_t taken;

    pg_params_init(&params);
    add_attempt(&params, attempt);
    return run_number(conn, STATEMENT_WEBHOOK_DELIVERED, &params, &taken);
}

enum dsnd_err store_webhook_failed(struct store_conn *conn,
                                   const struct store_webhook_attempt *attempt, int64_t *ret_dead)
{
    struct pg_params params;

    pg_params_init(&params);
    add_attempt(&params, attempt);
    pg_add_text(&params, attempt->reason);
    pg_add_i64(&params, attempt->wait_ms);
    pg_add_i64(&params, attempt->keep_ms);
    return run_number(conn, STATEMENT_WEBHOOK_FAILED, &params, ret_dead);
}

enum dsnd_err store_webhook_forget(struct store_conn *conn, int64_t keep_ms, int64_t *ret_dead)
{
    struct pg_params params;

    pg_params_init(&params);
    pg_add_i64(&params, keep_ms);
    return run_number(conn, STATEMENT_WEBHOOK_FORGET, &params, ret_dead);
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
