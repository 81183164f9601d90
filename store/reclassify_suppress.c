/*
 * Suppressions after the records of a run are done: for each address concerned all records that
 * prove it, as if they came one by one. suppression_rejudge compares the outcome with the list.
 */
#include "base/clock.h"
#include "store/reclassify_span.h"

enum { ADDRESSES = 200, ARENA_OCTETS = 256 * 1024 * 1024 };

/* Maintenance stands between the batches of the writer: the next call goes on. */
enum { DOUBTED_MS = 3000 };

/* Columns of RECLASSIFY_RECORDS. */
enum column {
    COLUMN_STATUS_ID,
    COLUMN_HASH,
    COLUMN_CAMPAIGN_ID,
    COLUMN_REF,
    COLUMN_AT,
    COLUMN_ACTION,
    COLUMN_CLASS,
    COLUMN_PERMANENCE,
    COLUMN_EVIDENCE,
    COLUMN_PROVEN,
    COLUMN_PROVIDER,
    COLUMN_DIAGNOSTIC,
    COLUMN_KIND,
    COLUMN_FEEDBACK,
    COLUMN_FAULT,
    COLUMN_CAUSE,
};

/* Whose suppressions are looked at. */
struct source {
    enum statement addresses;
    enum statement records;
    enum statement done;
};

static const struct source of_run = {STATEMENT_RECLASSIFY_ADDRESSES, STATEMENT_RECLASSIFY_RECORDS,
                                     STATEMENT_RECLASSIFY_ADDRESS_DONE};
static const struct source doubted = {STATEMENT_AGAIN_ADDRESSES, STATEMENT_AGAIN_RECORDS,
                                      STATEMENT_AGAIN_DONE};

struct chunk {
    const struct source *source;
    struct store_conn *conn;
    const struct store_reclassify *what;
    struct store_reclassify_counts *counts;
    struct dsnd_arena arena;
    struct pg_params params;
    PGresult *addresses;
    PGresult *records;
    PGresult *outcome;
    struct write_candidate *failed;
    size_t failed_count;
    struct write_candidate *confirmed;
    size_t confirmed_count;
};

static void chunk_done(struct chunk *self)
{
    PQclear(self->addresses);
    PQclear(self->records);
    PQclear(self->outcome);
    pg_params_done(&self->params);
    dsnd_arena_done(&self->arena);
}

static void add_addresses(struct chunk *self)
{
    pg_array_begin(&self->params, PG_BYTEA);
    for (int i = 0; i < PQntuples(self->addresses); i++)
        pg_elem_octets(&self->params, pg_str(self->addresses, i, 0));
    pg_array_end(&self->params);
}

static struct write_candidate candidate_of(const PGresult *rows, int row,
                                           const struct write_status *status)
{
    bool is_ref = status->evidence == STORE_EVIDENCE_SIGNED_REF;

    return (struct write_candidate){
        .hash_octets = pg_str(rows, row, COLUMN_HASH),
        .address = status->proven,
        .campaign_id = pg_i64(rows, row, COLUMN_CAMPAIGN_ID),
        .ref = is_ref ? status->ref : DSND_STR_ABSENT,
        .evidence = (int16_t)status->evidence,
        .status_id = status->id,
        .delivery = status->ref,
        .us = status->event.us,
        .provider = status->event.provider,
    };
}

static enum dsnd_err take_record(struct chunk *self, int row)
{
    const PGresult *rows = self->records;
    struct report report = {
        .kind = (enum report_kind)pg_i16(rows, row, COLUMN_KIND),
        .feedback = (enum report_feedback)pg_i16(rows, row, COLUMN_FEEDBACK),
    };
    struct report_recipient recipient = {
        .action = (enum report_action)pg_i16(rows, row, COLUMN_ACTION),
        .klass = (enum report_class)pg_i16(rows, row, COLUMN_CLASS),
        .permanence = (enum report_permanence)pg_i16(rows, row, COLUMN_PERMANENCE),
        .fault = (enum report_fault)pg_i16(rows, row, COLUMN_FAULT),
        .cause = (enum report_class)pg_i16(rows, row, COLUMN_CAUSE),
        .provider = pg_str(rows, row, COLUMN_PROVIDER),
        .diagnostic = pg_str(rows, row, COLUMN_DIAGNOSTIC),
    };
    struct write_status status = {
        .recipient = &recipient,
        .id = pg_i64(rows, row, COLUMN_STATUS_ID),
        .evidence = (enum store_evidence)pg_i16(rows, row, COLUMN_EVIDENCE),
        .proven = pg_str(rows, row, COLUMN_PROVEN),
        .ref = pg_str(rows, row, COLUMN_REF),
    };
    enum report_class klass = REPORT_CLASS_NONE;
    struct write_candidate *c;

    status.moves = delivery_event_of(&report, &recipient, &status.event);
    status.event.us = pg_time(rows, row, COLUMN_AT);
    if (write_counts(&status, &klass)) {
        c = &self->failed[self->failed_count++];
        *c = candidate_of(rows, row, &status);
        c->klass = (int16_t)klass;
        return write_guarded_text(&self->arena, klass, recipient.diagnostic, &c->signature);
    }
    if (write_confirms(&status))
        self->confirmed[self->confirmed_count++] = candidate_of(rows, row, &status);
    return DSND_OK;
}

static enum dsnd_err take_records(struct chunk *self)
{
    size_t count;
    enum dsnd_err err;

    pg_params_clear(&self->params);
    add_addresses(self);
    err = pg_run(self->conn, self->source->records, &self->params, &self->records);
    if (err)
        return err;
    count = (size_t)PQntuples(self->records);
    self->failed = dsnd_arena_array(&self->arena, count + 1, sizeof(*self->failed));
    self->confirmed = dsnd_arena_array(&self->arena, count + 1, sizeof(*self->confirmed));
    if (!self->failed || !self->confirmed)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < count && !err; i++)
        err = take_record(self, (int)i);
    return err;
}

static enum dsnd_err rejudge(struct chunk *self)
{
    static const struct pg_column columns[] = {
        {PG_KIND_BYTEA, offsetof(struct write_candidate, hash_octets)},
        {PG_KIND_TIME, offsetof(struct write_candidate, us)},
    };
    struct pg_params *p = &self->params;

    pg_params_clear(p);
    write_add_candidates(p, self->failed, self->failed_count);
    pg_add_bool(p, self->what->apply);
    add_addresses(self);
    pg_add_rows(p, columns, 2, self->confirmed, sizeof(*self->confirmed), self->confirmed_count);
    return pg_run(self->conn, STATEMENT_RECLASSIFY_SUPPRESS, p, &self->outcome);
}

static void tell(struct chunk *self)
{
    for (int i = 0; i < PQntuples(self->outcome); i++) {
        struct store_resuppressed change = {
            .lifted = pg_i16(self->outcome, i, 0) == STORE_SUPPRESSION_LIFT,
            .was = (enum report_class)pg_i16(self->outcome, i, 1),
            .after = (enum report_class)pg_i16(self->outcome, i, 2),
            .who = pg_str(self->outcome, i, 3),
        };

        if (change.lifted)
            self->counts->lifted++;
        else if (pg_null(self->outcome, i, 1))
            self->counts->added++;
        self->what->suppressed(self->what->context, &change);
    }
}

static enum dsnd_err finish(struct chunk *self)
{
    enum dsnd_err err;

    if (!self->what->apply)
        return DSND_OK;
    pg_params_clear(&self->params);
    add_addresses(self);
    err = pg_run(self->conn, self->source->done, &self->params, NULL);
    return err ? err : pg_run(self->conn, STATEMENT_COMMIT, NULL, NULL);
}

/* The next addresses after `last`, which is moved on; DSND_ERR_NOT_FOUND: there is none. */
static enum dsnd_err next_addresses(struct chunk *self, struct store_hash *last)
{
    enum dsnd_err err;
    struct dsnd_str hash;
    int count;

    pg_params_clear(&self->params);
    pg_add_bytea(&self->params, dsnd_str_make((const char *)last->octets, sizeof(last->octets)));
    pg_add_i32(&self->params, ADDRESSES);
    err = pg_run(self->conn, self->source->addresses, &self->params, &self->addresses);
    count = err ? 0 : PQntuples(self->addresses);
    if (!count)
        return err ? err : DSND_ERR_NOT_FOUND;
    hash = pg_str(self->addresses, count - 1, 0);
    for (size_t i = 0; i < sizeof(last->octets) && i < hash.len; i++)
        last->octets[i] = (unsigned char)hash.ptr[i];
    return DSND_OK;
}

/* What a writer would add meanwhile must not be missed: it waits, for a moment. An erasure may
 * take long: it is waited for before that. */
static enum dsnd_err exclude(struct chunk *self)
{
    enum dsnd_err err = pg_run(self->conn, STATEMENT_RECLASSIFY_EXCLUDE, NULL, NULL);

    return err ? err : pg_run(self->conn, STATEMENT_RECLASSIFY_PAUSE, NULL, NULL);
}

/* The same, but the writer itself does not wait for an erasure. DSND_ERR_NOT_FOUND: there is one,
 * or nobody to look at. */
static enum dsnd_err try_exclude(struct chunk *self)
{
    PGresult *result = NULL;
    enum dsnd_err err = pg_run(self->conn, STATEMENT_AGAIN_EXCLUDE, NULL, &result);

    if (!err && (!PQntuples(result) || !pg_bool(result, 0, 0)))
        err = DSND_ERR_NOT_FOUND;
    PQclear(result);
    return err ? err : pg_run(self->conn, STATEMENT_RECLASSIFY_PAUSE, NULL, NULL);
}

static enum dsnd_err run_chunk(struct chunk *self, struct store_hash *last)
{
    struct store_hash next = *last;
    enum dsnd_err err = pg_run(self->conn, STATEMENT_BEGIN, NULL, NULL);

    if (!err && self->what->apply)
        err = self->source == &of_run ? exclude(self) : try_exclude(self);
    if (!err)
        err = next_addresses(self, &next);
    if (!err)
        err = take_records(self);
    if (!err)
        err = rejudge(self);
    if (!err)
        err = finish(self);
    pg_rollback(self->conn);
    if (err)
        return err;
    tell(self);
    *last = next;
    return DSND_OK;
}

static enum dsnd_err run_all(struct store_conn *conn, const struct source *source,
                             const struct store_reclassify *what, int64_t until_ms,
                             struct store_reclassify_counts *counts)
{
    enum { ATTEMPTS = 4 };
    struct store_hash last = {{0}};
    enum dsnd_err err = DSND_OK;
    int attempts = 0;

    while (!err || (pg_may_repeat(conn) && ++attempts < ATTEMPTS)) {
        struct chunk chunk = {.source = source,
                              .conn = conn,
                              .what = what,
                              .counts = counts,
                              .arena = DSND_ARENA_INIT(ARENA_OCTETS)};

        pg_params_init(&chunk.params);
        conn->sqlstate[0] = '\0';
        err = run_chunk(&chunk, &last);
        chunk_done(&chunk);
        if (!err)
            attempts = 0;
        if (!err && dsnd_clock_monotonic_ms() >= until_ms)
            break;
    }
    return err == DSND_ERR_NOT_FOUND ? DSND_OK : err;
}

enum dsnd_err again_suppress(struct store_conn *conn, const struct store_reclassify *what,
                             struct store_reclassify_counts *counts)
{
    return run_all(conn, &of_run, what, INT64_MAX, counts);
}

static void tell_nobody(void *context, const struct store_resuppressed *change)
{
    (void)context;
    (void)change;
}

enum dsnd_err store_judge_doubted(struct store_conn *conn)
{
    const struct store_reclassify what = {.apply = true, .suppressed = tell_nobody};
    struct store_reclassify_counts counts = {0};

    return run_all(conn, &doubted, &what, dsnd_clock_monotonic_ms() + DOUBTED_MS, &counts);
}
