#include "store/reclassify.h"

#include "store/reclassify_span.h"

enum {
    ATTEMPTS = 6,                    /* of one transaction, for deadlocks and races */
    SPAN_OCTETS = 768 * 1024 * 1024, /* memory of one transaction */
    STATEMENT_MS = 10 * 60 * 1000,   /* the reports of one campaign may lie far apart */
};

/* Those that are sent without waiting; the others are prepared when they are first used. */
static const enum statement statements[] = {
    STATEMENT_WRITE_CAMPAIGN_ADD,
    STATEMENT_WRITE_CAMPAIGN_FIND,
    STATEMENT_WRITE_SEND_BY_REF,
    STATEMENT_WRITE_SEND_BY_MESSAGE,
    STATEMENT_WRITE_SEND_BY_ENVELOPE,
    STATEMENT_WRITE_SEND_BY_RECIPIENT,
    STATEMENT_WRITE_IDS,
    STATEMENT_WRITE_STATUS,
    STATEMENT_WRITE_DELIVERY_SET,
    STATEMENT_WRITE_DELIVERY_ADD,
    STATEMENT_WRITE_TOTAL_LOCK,
    STATEMENT_WRITE_TOTAL_HOUR,
    STATEMENT_WRITE_TOTAL_BREAKDOWN,
    STATEMENT_WRITE_TOTAL_CAMPAIGN,
    STATEMENT_WRITE_TOTAL_TIMES,
    STATEMENT_WRITE_RULE_HIT,
    STATEMENT_WRITE_GUARD,
    STATEMENT_RECLASSIFY_STATUS_DROP,
    STATEMENT_RECLASSIFY_REPORT_SET,
    STATEMENT_RECLASSIFY_RAW_SET,
    STATEMENT_RECLASSIFY_DELIVERY_DROP,
    STATEMENT_RECLASSIFY_HIT_TAKE,
    STATEMENT_RECLASSIFY_HIT_FORGET,
    STATEMENT_RECLASSIFY_GUARD_TAKE,
    STATEMENT_RECLASSIFY_ADDRESS_ADD,
    STATEMENT_RECLASSIFY_MOVE,
    STATEMENT_COMMIT,
};

/* A dry run writes nowhere else: temporary tables stand before those of the same name. */
static const char dry_tables[] =
    "CREATE TEMPORARY TABLE reclassify_address (LIKE public.reclassify_address INCLUDING INDEXES);"
    "CREATE TEMPORARY TABLE reclassify_change (LIKE public.reclassify_change);"
    "CREATE INDEX ON reclassify_change (status_id);"
    "CREATE INDEX ON reclassify_change (address_hash) WHERE address_hash IS NOT NULL";

/* Keyed lookups must not become scans because statistics are young: there is always an index. */
static const char tuning[] = "SET enable_seqscan = off; SET enable_hashjoin = off;"
                             "SET enable_mergejoin = off; SET jit = off;"
                             "SET client_min_messages = warning";

struct run {
    struct store_conn *conn;
    const struct store_policy *policy;
    const struct store_reclassify *what;
    struct store_reclassify_counts counts;
    int64_t id;
    int64_t position;
    int64_t end;
    int32_t batch; /* reports a transaction now */
};

static void add_identity(struct run *self, struct pg_params *params)
{
    const struct store_reclassify *what = self->what;

    pg_params_clear(params);
    pg_add_text(params, self->policy->rules_version);
    pg_add_text(params, what->program);
    if (what->from_us)
        pg_add_time(params, what->from_us);
    else
        pg_add_null(params);
    if (what->to_us)
        pg_add_time(params, what->to_us);
    else
        pg_add_null(params);
    pg_add_text(params, what->campaign);
    pg_add_bool(params, what->reparse);
}

/* ---- one batch ---- */

static void again_done(struct again *self)
{
    for (int i = 0; i < WRITE_LOOKUP_COUNT; i++)
        PQclear(self->span.found[i]);
    PQclear(self->span.delivery_rows);
    PQclear(self->reports);
    PQclear(self->statuses);
    PQclear(self->events);
    pg_params_done(&self->span.params);
    dsnd_arena_done(&self->span.arena);
}

static enum dsnd_err write_batch(struct run *self, struct again *again)
{
    enum dsnd_err err;

    if (!self->what->apply) {
        pg_rollback(self->conn);
        return again->written ? again_keep(again) : DSND_OK;
    }
    err = again_deliveries(again);
    return err ? err : again_rows(again, self->id);
}

static enum dsnd_err run_batch(struct run *self, struct again *again)
{
    enum dsnd_err err = pg_run(self->conn, STATEMENT_BEGIN, NULL, NULL);

    if (!err && self->what->apply)
        err = pg_run(self->conn, STATEMENT_RECLASSIFY_EXCLUDE, NULL, NULL);
    if (!err)
        err = again_load(again, self->position, self->end);
    if (err || !again->last)
        return err;
    err = again_compare(again);
    return err ? err : write_batch(self, again);
}

static void count_batch(struct run *self, const struct again *again)
{
    self->counts.reports += again->span.count;
    for (size_t i = 0; i < again->span.count; i++)
        self->counts.statuses += again->items[i].old_count;
    self->counts.changed += again->changed;
    self->position = again->last;
}

/* `*ret_end`: there is no report left. */
static enum dsnd_err try_batch(struct run *self, bool *ret_end)
{
    struct store_reclassify what = *self->what;
    struct again again = {
        .span =
            {
                .conn = self->conn,
                .policy = self->policy,
                .journal = "",
                .arena = DSND_ARENA_INIT(SPAN_OCTETS),
            },
        .what = &what,
    };
    enum dsnd_err err;

    what.batch = self->batch;
    pg_params_init(&again.span.params);
    self->conn->sqlstate[0] = '\0';
    err = run_batch(self, &again);
    pg_rollback(self->conn);
    *ret_end = !err && !again.last;
    if (!err && again.last) {
        again_tell(&again);
        count_batch(self, &again);
    }
    again_done(&again);
    return err;
}

/* Large messages may need more memory than a batch has: then fewer at a time. */
static enum dsnd_err next_batch(struct run *self, bool *ret_end)
{
    enum dsnd_err err = try_batch(self, ret_end);

    for (int i = 1; i < ATTEMPTS && err && pg_may_repeat(self->conn); i++)
        err = try_batch(self, ret_end);
    while (err == DSND_ERR_NOMEM && self->batch > 1) {
        self->batch /= 2;
        err = try_batch(self, ret_end);
    }
    return err == DSND_ERR_REFUSED ? DSND_ERR_UNAVAILABLE : err;
}

/* ---- a run ---- */

static enum dsnd_err resume_run(struct run *self, struct pg_params *params)
{
    PGresult *result = NULL;
    enum dsnd_err err;

    add_identity(self, params);
    err = pg_run(self->conn, STATEMENT_RECLASSIFY_RESUME, params, &result);
    if (!err && PQntuples(result) > 0) {
        self->id = pg_i64(result, 0, 0);
        self->position = pg_i64(result, 0, 1);
        self->end = pg_i64(result, 0, 2);
        self->counts = (struct store_reclassify_counts){
            .resumed = true,
            .reports = (uint64_t)pg_i64(result, 0, 3),
            .statuses = (uint64_t)pg_i64(result, 0, 4),
            .changed = (uint64_t)pg_i64(result, 0, 5),
        };
    }
    PQclear(result);
    return err;
}

/* Ids ascend with the day of receipt. */
static int64_t first_id(const struct run *self)
{
    return self->what->from_us ? write_record_id(self->what->from_us, 0) : 0;
}

static enum dsnd_err begin_run(struct run *self, struct pg_params *params)
{
    PGresult *result = NULL;
    enum dsnd_err err = pg_run(self->conn, STATEMENT_RECLASSIFY_END, NULL, &result);

    if (!err) {
        self->end = pg_i64(result, 0, 0);
        self->position = first_id(self);
    }
    PQclear(result);
    result = NULL;
    if (err || !self->what->apply)
        return err;
    add_identity(self, params);
    pg_add_i64(params, self->position);
    pg_add_i64(params, self->end);
    err = pg_run(self->conn, STATEMENT_RECLASSIFY_BEGIN, params, &result);
    if (!err)
        self->id = pg_i64(result, 0, 0);
    PQclear(result);
    return err;
}

static enum dsnd_err check_campaign(struct run *self, struct pg_params *params)
{
    PGresult *result = NULL;
    enum dsnd_err err;

    if (!dsnd_str_present(self->what->campaign))
        return DSND_OK;
    pg_params_clear(params);
    pg_add_text(params, self->what->campaign);
    err = pg_run(self->conn, STATEMENT_RECLASSIFY_CAMPAIGN, params, &result);
    if (!err && PQntuples(result) == 0)
        err = DSND_ERR_NOT_FOUND;
    PQclear(result);
    return err;
}

static enum dsnd_err finish_run(struct run *self, struct pg_params *params)
{
    if (!self->what->apply)
        return DSND_OK;
    pg_params_clear(params);
    pg_add_i64(params, self->id);
    return pg_run(self->conn, STATEMENT_RECLASSIFY_FINISH, params, NULL);
}

static enum dsnd_err run_all(struct run *self, struct pg_params *params)
{
    enum dsnd_err err = check_campaign(self, params);
    bool end = false;

    if (!err && self->what->apply)
        err = resume_run(self, params);
    if (!err && !self->counts.resumed)
        err = begin_run(self, params);
    while (!err && !end) {
        err = next_batch(self, &end);
        if (!err && !end && !self->what->progress(self->what->context, &self->counts))
            err = DSND_ERR_UNAVAILABLE;
    }
    if (!err)
        err = again_suppress(self->conn, self->what, &self->counts);
    return err ? err : finish_run(self, params);
}

static enum dsnd_err lock(struct store_conn *conn)
{
    PGresult *result = NULL;
    enum dsnd_err err = pg_run(conn, STATEMENT_RECLASSIFY_LOCK, NULL, &result);

    if (!err && !pg_bool(result, 0, 0))
        err = DSND_ERR_CONFLICT;
    PQclear(result);
    return err;
}

/* PostgreSQL sees only after a while that a connection was closed; the next run shall find it free.
 */
static enum dsnd_err unlock(struct store_conn *conn)
{
    return pg_run(conn, STATEMENT_RECLASSIFY_UNLOCK, NULL, NULL);
}

enum dsnd_err store_reclassify(struct store_conn *conn, const struct store_policy *policy,
                               const struct store_reclassify *what,
                               struct store_reclassify_counts *ret_counts)
{
    struct run run = {.conn = conn, .policy = policy, .what = what, .batch = what->batch};
    struct pg_params params;
    enum dsnd_err err = pg_check_version(conn);

    pg_params_init(&params);
    if (!err)
        err = store_conn_limit(conn, STATEMENT_MS);
    if (!err)
        err = lock(conn);
    if (!err)
        err = pg_run_text(conn, tuning);
    if (!err && !what->apply)
        err = pg_run_text(conn, dry_tables);
    if (!err)
        err = pg_prepare(conn, statements, sizeof(statements) / sizeof(*statements));
    if (!err)
        err = run_all(&run, &params);
    if (!err)
        err = unlock(conn);
    *ret_counts = run.counts;
    pg_params_done(&params);
    return err;
}
