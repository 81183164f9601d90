#include "base/clock.h"
#include "store/pg.h"
#include "store/query_suppression.h"
#include "store/reclassify.h"
#include "store/write.h"

/* Rows closed in one transaction: few enough not to hold the totals' locks for long. */
enum { EXPIRE_ROWS = 2000, ERASURE_STEPS = 20 };

/* A message of which a server's log told nothing for so long has left its queue unseen. */
enum { LOG_MESSAGE_DAYS = 30 };

static enum dsnd_err make_partitions(struct store_conn *conn, struct pg_params *params,
                                     int64_t now_us)
{
    int32_t today = (int32_t)(now_us / DSND_US_PER_DAY);

    pg_params_clear(params);
    pg_add_day(params, today - 1);
    pg_add_day(params, today + STORE_DAYS_AHEAD);
    return pg_run(conn, STATEMENT_PARTITION_ENSURE, params, NULL);
}

/*
 * Partitions whose last day is wholly older than `keep_us`. Dropping waits for readers and makes
 * new ones wait, so it gives up soon and tries again at the next call.
 */
static enum dsnd_err drop_partitions(struct store_conn *conn, struct pg_params *params,
                                     const char *parent, int64_t before_us)
{
    enum dsnd_err err;

    pg_params_clear(params);
    pg_add_text(params, dsnd_str_of(parent));
    pg_add_day(params, (int32_t)(before_us / DSND_US_PER_DAY));
    err = pg_run(conn, STATEMENT_PARTITION_DROP, params, NULL);
    return err == DSND_ERR_UNAVAILABLE && !conn->broken ? DSND_OK : err;
}

static enum dsnd_err drop_all(struct store_conn *conn, struct pg_params *params,
                              const struct store_retention *retention, int64_t now_us)
{
    const struct {
        const char *parent;
        int64_t keep_us;
    } rows[] = {
        {"report_raw", retention->raw_us},
        {"status", retention->status_us},
        {"report", retention->status_us},
        {"rule_hit", retention->status_us},
        /* Filed by the day of storing, which is the day of receipt or later. */
        {"report_seen", retention->duplicate_window_us},
    };
    enum dsnd_err err = pg_run_text(conn, "SET lock_timeout = 2000");

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && !err; i++)
        if (rows[i].keep_us > 0)
            err = drop_partitions(conn, params, rows[i].parent, now_us - rows[i].keep_us);
    return err ? err : pg_run_text(conn, "RESET lock_timeout");
}

static enum dsnd_err close_delays(struct store_conn *conn, struct pg_params *params, int64_t now_us,
                                  int64_t horizon_us)
{
    enum dsnd_err err = DSND_OK;
    int32_t closed = EXPIRE_ROWS;

    while (!err && closed == EXPIRE_ROWS) {
        PGresult *result = NULL;

        pg_params_clear(params);
        pg_add_time(params, now_us);
        pg_add_time(params, now_us - horizon_us);
        pg_add_i32(params, EXPIRE_ROWS);
        err = pg_run(conn, STATEMENT_DELIVERY_EXPIRE, params, &result);
        closed = err ? 0 : pg_i32(result, 0, 0);
        PQclear(result);
    }
    /* A writer stood in the way: the next call goes on. */
    return err == DSND_ERR_UNAVAILABLE && !conn->broken ? DSND_OK : err;
}

/* `params` holds the time. */
static enum dsnd_err hold_all(struct store_conn *conn, const struct pg_params *params)
{
    enum dsnd_err err = DSND_OK;
    int64_t held = 1;

    while (!err && held) {
        PGresult *result = NULL;

        err = pg_run(conn, STATEMENT_GUARD_HOLD, params, &result);
        held = err ? 0 : pg_i64(result, 0, 0);
        PQclear(result);
    }
    return err;
}

static enum dsnd_err turn_incidents(struct store_conn *conn, struct pg_params *params,
                                    int64_t now_us, int64_t keep_us)
{
    enum dsnd_err err;

    pg_params_clear(params);
    pg_add_time(params, now_us);
    if (keep_us > 0)
        pg_add_time(params, now_us - keep_us);
    else
        pg_add_null(params);
    err = pg_run(conn, STATEMENT_INCIDENT_TURN, params, NULL);
    /* A writer stood in the way: the next call goes on. */
    return err == DSND_ERR_UNAVAILABLE && !conn->broken ? DSND_OK : err;
}

/* Texts that name people whose erasure was asked for. */
static enum dsnd_err search_erased(struct store_conn *conn)
{
    enum dsnd_err err = DSND_OK;
    bool more = true;

    for (int i = 0; i < ERASURE_STEPS && more && !err; i++)
        err = store_erasure_step(conn, &more);
    return err == DSND_ERR_UNAVAILABLE && !conn->broken ? DSND_OK : err;
}

/* Those whom something else than what is held or dropped suppresses. */
static enum dsnd_err judge_doubted(struct store_conn *conn)
{
    enum dsnd_err err = store_judge_doubted(conn);

    /* Somebody stood in the way: the next call goes on. */
    return err == DSND_ERR_UNAVAILABLE && !conn->broken ? DSND_OK : err;
}

enum dsnd_err store_maintain(struct store_conn *conn, const struct store_retention *retention,
                             int64_t now_us)
{
    struct pg_params params;
    enum dsnd_err err = pg_check_version(conn);

    pg_params_init(&params);
    if (!err)
        err = make_partitions(conn, &params, now_us);
    if (!err)
        err = drop_all(conn, &params, retention, now_us);
    if (!err && retention->delay_horizon_us > 0)
        err = close_delays(conn, &params, now_us, retention->delay_horizon_us);
    if (!err)
        err = turn_incidents(conn, &params, now_us, retention->status_us);
    pg_params_clear(&params);
    pg_add_time(&params, now_us);
    if (!err)
        err = pg_run(conn, STATEMENT_SUPPRESSION_EXPIRE, &params, NULL);
    if (!err)
        err = hold_all(conn, &params);
    if (!err)
        err = judge_doubted(conn);
    if (!err)
        err = pg_run(conn, STATEMENT_GUARD_FORGET, &params, NULL);
    if (!err)
        err = pg_run(conn, STATEMENT_AGAIN_FORGET, NULL, NULL);
    if (!err)
        err = pg_run(conn, STATEMENT_STRIKE_FORGET, &params, NULL);
    if (!err)
        err = pg_run(conn, STATEMENT_ERASED_HASH, &params, NULL);
    if (!err)
        err = search_erased(conn);
    pg_params_clear(&params);
    pg_add_time(&params, now_us - DSND_US_PER_DAY);
    if (!err)
        err = pg_run(conn, STATEMENT_IDEMPOTENCY_FORGET, &params, NULL);
    pg_params_clear(&params);
    pg_add_time(&params, now_us - LOG_MESSAGE_DAYS * DSND_US_PER_DAY);
    if (!err)
        err = pg_run(conn, STATEMENT_LOG_FORGET, &params, NULL);
    pg_params_done(&params);
    return err;
}
