/*
 * Batches into transactions. A batch is one transaction unless PostgreSQL refuses something in it:
 * then it is cut in two until the message at fault stands alone and is set aside. The parts move
 * the journal's position each for itself, in order, so that a crash in between loses nothing and
 * repeats nothing.
 */
#include "store/write.h"

#include <string.h>

#include "base/clock.h"
#include "store/write_span.h"

enum {
    ATTEMPTS = 4,                    /* of one transaction, for deadlocks and races */
    SPAN_OCTETS = 768 * 1024 * 1024, /* memory of one transaction */
};

/* Statements of the three exchanges: prepared before a pipeline begins. */
static const enum statement statements[] = {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_WRITE_LOCK,
    STATEMENT_WRITE_SEEN,
    STATEMENT_WRITE_CAMPAIGN_ADD,
    STATEMENT_WRITE_CAMPAIGN_FIND,
    STATEMENT_WRITE_SEND_BY_REF,
    STATEMENT_WRITE_SEND_BY_MESSAGE,
    STATEMENT_WRITE_SEND_BY_ENVELOPE,
    STATEMENT_WRITE_SEND_BY_RECIPIENT,
    STATEMENT_WRITE_IDS,
    STATEMENT_WRITE_CAMPAIGN_LOCK,
    STATEMENT_WRITE_CAMPAIGN_HOLD,
    STATEMENT_SEND_ADD,
    STATEMENT_WRITE_SEND_PLACE,
    STATEMENT_WRITE_DELIVERY_LOCK,
    STATEMENT_WRITE_REPORT,
    STATEMENT_WRITE_RAW,
    STATEMENT_WRITE_QUARANTINE,
    STATEMENT_WRITE_STATUS,
    STATEMENT_WRITE_DELIVERY_SET,
    STATEMENT_WRITE_DELIVERY_ADD,
    STATEMENT_WRITE_TOTAL_LOCK,
    STATEMENT_WRITE_TOTAL_HOUR,
    STATEMENT_WRITE_TOTAL_BREAKDOWN,
    STATEMENT_WRITE_TOTAL_CAMPAIGN,
    STATEMENT_WRITE_TOTAL_TIMES,
    STATEMENT_WRITE_RULE_HIT,
    STATEMENT_WRITE_INCIDENT,
    STATEMENT_WRITE_INCIDENT_PARTS,
    STATEMENT_WRITE_GUARD,
    STATEMENT_WRITE_STRIKE,
    STATEMENT_WRITE_SUPPRESSION_EXPIRE,
    STATEMENT_WRITE_SUPPRESSION_KEEP,
    STATEMENT_WRITE_SUPPRESSION,
    STATEMENT_WRITE_SUPPRESSION_WAIT,
    STATEMENT_WRITE_STRIKE_LIFT,
    STATEMENT_WRITE_SUPPRESSION_LIFT,
    STATEMENT_WRITE_RECEIPT,
    STATEMENT_WRITE_EVENTS,
    STATEMENT_WRITE_POSITION,
    STATEMENT_WRITE_LOG_SET,
    STATEMENT_WRITE_LOG_WAITED,
    STATEMENT_WRITE_LOG_WAITING,
    STATEMENT_WRITE_LOG_REMOVE,
};

/* Keyed lookups must not become scans because statistics are young: there is always an index. */
static const char tuning[] = "SET enable_seqscan = off; SET enable_hashjoin = off;"
                             "SET enable_mergejoin = off; SET jit = off";

static enum dsnd_err tune(struct store_conn *conn)
{
    enum dsnd_err err = conn->tuned ? DSND_OK : pg_run_text(conn, tuning);

    if (!err)
        err = pg_prepare(conn, statements, sizeof(statements) / sizeof(*statements));
    conn->tuned = !err;
    return err;
}

/* ---- partitions ---- */

static bool knows_day(const struct store_conn *conn, int32_t day)
{
    for (size_t i = 0; i < conn->day_count; i++)
        if (conn->days[i] == day)
            return true;
    return false;
}

/* A transaction of its own: other writers then find the partition at once. */
static enum dsnd_err ensure_day(struct store_conn *conn, struct pg_params *params, int32_t day)
{
    enum dsnd_err err;

    if (knows_day(conn, day))
        return DSND_OK;
    pg_params_clear(params);
    pg_add_day(params, day);
    pg_add_day(params, day);
    err = pg_run(conn, STATEMENT_PARTITION_ENSURE, params, NULL);
    if (err)
        return err;
    if (conn->day_count == PG_DAYS_KNOWN)
        conn->day_count = 0;
    conn->days[conn->day_count++] = day;
    return DSND_OK;
}

/* The days of receipt; and today with its neighbours, for report_seen is filed by the server's day.
 */
static enum dsnd_err ensure_partitions(struct write_span *self, const struct store_item *items)
{
    int32_t today = (int32_t)(dsnd_clock_now_us() / DSND_US_PER_DAY);
    enum dsnd_err err = DSND_OK;

    for (int32_t day = today - 1; day <= today + 1 && !err; day++)
        err = ensure_day(self->conn, &self->params, day);
    for (size_t i = 0; i < self->count && !err; i++)
        err = ensure_day(self->conn, &self->params, write_day(items[i].received_us));
    return err;
}

/* ---- one transaction ---- */

static void span_done(struct write_span *self)
{
    for (int i = 0; i < WRITE_LOOKUP_COUNT; i++)
        PQclear(self->found[i]);
    PQclear(self->delivery_rows);
    pg_params_done(&self->params);
    dsnd_arena_done(&self->arena);
}

static enum dsnd_err add_position(struct write_span *self)
{
    pg_params_clear(&self->params);
    pg_add_text(&self->params, dsnd_str_of(self->journal));
    return pg_run(self->conn, STATEMENT_WRITE_POSITION_ADD, &self->params, NULL);
}

/* All of it is stored already, the position included. */
static bool is_stored(const struct write_span *self)
{
    if (self->count && self->items[self->count - 1].item.sequence > self->stored)
        return false;
    return !self->last || self->stored == self->position.sequence;
}

static enum dsnd_err run_span(struct write_span *self, const struct store_item *items)
{
    enum dsnd_err err = tune(self->conn);

    if (!err)
        err = ensure_partitions(self, items);
    if (!err)
        err = write_prepare(self, items);
    if (!err)
        err = write_lookup(self);
    if (!err && is_stored(self)) {
        pg_rollback(self->conn);
        return DSND_OK;
    }
    if (!err)
        err = write_attribute(self);
    if (!err)
        write_fold(self);
    if (!err)
        err = write_find_incidents(self);
    if (!err)
        err = write_deliveries(self);
    if (!err)
        err = write_judge(self);
    if (!err)
        err = write_rows(self);
    return err;
}

/* Or it was a partition that retention dropped under us (check violation; it is made again). */
static bool may_repeat(struct store_conn *conn, bool first)
{
    if (first && !conn->broken && strcmp(conn->sqlstate, "23514") == 0) {
        conn->day_count = 0;
        return true;
    }
    return pg_may_repeat(conn);
}

struct batch {
    struct store_conn *conn;
    const struct store_policy *policy;
    const struct store_journal_position *position;
    struct store_batch_result *result;
};

/* What a part of a batch is stored as. */
struct part {
    const struct store_item *items;
    size_t count;
    bool last;           /* it moves the journal to the batch's own position */
    const char *refusal; /* why the one item is set aside, or NULL */
};

static enum dsnd_err try_part(const struct batch *self, const struct part *part)
{
    struct write_span span = {
        .conn = self->conn,
        .policy = self->policy,
        .journal = self->position->journal_id,
        .arena = DSND_ARENA_INIT(SPAN_OCTETS),
        .count = part->count,
        .last = part->last,
        .refusal = part->refusal,
    };
    enum dsnd_err err;

    if (part->last)
        span.position = *self->position;
    else
        span.position.sequence = part->items[part->count - 1].sequence;
    pg_params_init(&span.params);
    self->conn->sqlstate[0] = '\0';
    err = run_span(&span, part->items);
    pg_rollback(self->conn);
    if (err == DSND_ERR_NOT_FOUND) { /* the first batch of this journal */
        err = add_position(&span);
        memcpy(self->conn->sqlstate, "40000", sizeof("40000")); /* so it is done again */
        err = err ? err : DSND_ERR_UNAVAILABLE;
    }
    if (!err) {
        self->result->reports += span.result.reports;
        self->result->statuses += span.result.statuses;
        self->result->duplicates += span.result.duplicates;
        self->result->quarantined += span.result.quarantined;
        self->result->sends += span.result.sends;
    }
    span_done(&span);
    return err;
}

static enum dsnd_err store_part(const struct batch *self, const struct part *part)
{
    enum dsnd_err err = try_part(self, part);

    for (int i = 1; err && i < ATTEMPTS && may_repeat(self->conn, i == 1); i++)
        err = try_part(self, part);
    return err;
}

static enum dsnd_err set_aside(const struct batch *self, const struct part *part,
                               enum store_quarantine why)
{
    struct store_item item = part->items[0];
    char refusal[PG_ERROR_SIZE];
    struct part alone = {&item, 1, part->last, refusal};

    memcpy(refusal, self->conn->error, sizeof(refusal));
    item.quarantine = why;
    return store_part(self, &alone);
}

/* At fault is the data: PostgreSQL refused it, or it needs more memory than a transaction has. */
static bool at_fault(enum dsnd_err err)
{
    return err == DSND_ERR_REFUSED || err == DSND_ERR_NOMEM || err == DSND_ERR_LIMIT;
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth is the logarithm of the batch's size */
static enum dsnd_err divide(const struct batch *self, const struct part *part)
{
    enum dsnd_err err = store_part(self, part);
    struct part front = *part;
    struct part back = *part;

    if (!at_fault(err) || (part->count == 1 && part->items[0].quarantine))
        return err;
    if (part->count == 1)
        return set_aside(self, part,
                         err == DSND_ERR_REFUSED ? STORE_QUARANTINE_ROW_REFUSED
                                                 : STORE_QUARANTINE_TOO_LARGE);
    front.count = part->count / 2;
    front.last = false;
    back.items += front.count;
    back.count -= front.count;
    err = divide(self, &front);
    return err ? err : divide(self, &back);
}

enum dsnd_err store_write_batch(struct store_conn *conn, const struct store_policy *policy,
                                const struct store_journal_position *position,
                                const struct store_item *items, size_t count,
                                struct store_batch_result *ret_result)
{
    struct store_batch_result result = {0};
    struct batch batch = {conn, policy, position, &result};
    struct part whole = {items, count, true, NULL};
    enum dsnd_err err = DSND_ERR_UNAVAILABLE;

    if (!conn->broken)
        err = count ? divide(&batch, &whole) : store_part(&batch, &whole);
    if (!err)
        *ret_result = result;
    /* Memory that is short now may be there later; nothing was stored. */
    return err == DSND_ERR_REFUSED ? DSND_ERR_UNAVAILABLE : err;
}

enum dsnd_err store_position_get(struct store_conn *conn, const char *journal_id,
                                 struct store_journal_position *ret_position)
{
    struct pg_params params;
    PGresult *result = NULL;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, dsnd_str_of(journal_id));
    err = pg_run(conn, STATEMENT_POSITION_GET, &params, &result);
    if (!err) {
        bool seen = PQntuples(result) > 0;

        *ret_position = (struct store_journal_position){
            .journal_id = journal_id,
            .sequence = seen ? (uint64_t)pg_i64(result, 0, 0) : 0,
            .segment = seen ? (uint64_t)pg_i64(result, 0, 1) : 0,
            .offset = seen ? (uint64_t)pg_i64(result, 0, 2) : 0,
        };
    }
    PQclear(result);
    pg_params_done(&params);
    return err;
}
