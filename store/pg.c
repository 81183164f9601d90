#include "store/pg.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

void pg_set_error(struct store_conn *self, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (vsnprintf(self->error, sizeof(self->error), format, args) < 0)
        self->error[0] = '\0';
    va_end(args);
}

/* What the caller can do about an SQLSTATE: the longest prefix that is listed decides. */
static enum dsnd_err err_of(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        enum dsnd_err err;
    } rows[] = {
        {"22", DSND_ERR_REFUSED},    /* data exception */
        {"23", DSND_ERR_REFUSED},    /* integrity constraint violation */
        {"54", DSND_ERR_REFUSED},    /* program limit: a value too long for an index */
        {"42P01", DSND_ERR_VERSION}, /* undefined table */
        {"42703", DSND_ERR_VERSION}, /* undefined column */
        {"42883", DSND_ERR_VERSION}, /* undefined function */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strncmp(sqlstate, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].err;
    return DSND_ERR_UNAVAILABLE;
}

/* Words without row data: the message of a data error may quote the row. */
static void describe(struct store_conn *self, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *table = PQresultErrorField(result, PG_DIAG_TABLE_NAME);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);

    if (!state)
        pg_set_error(self, "%s", "the connection to PostgreSQL was lost");
    else if (err_of(state) == DSND_ERR_REFUSED)
        pg_set_error(self, "SQLSTATE %s%s%s%s%s", state, table ? " table " : "", table ? table : "",
                     constraint ? " constraint " : "", constraint ? constraint : "");
    else
        pg_set_error(self, "SQLSTATE %s: %s", state, text ? text : "");
}

static enum dsnd_err lost(struct store_conn *self, const char *what)
{
    self->broken = true;
    self->sqlstate[0] = '\0';
    pg_set_error(self, "%s", what);
    return DSND_ERR_UNAVAILABLE;
}

static enum dsnd_err judge(struct store_conn *self, PGresult *result, PGresult **ret_result)
{
    ExecStatusType status = PQresultStatus(result);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    enum dsnd_err err = DSND_OK;

    if (status == PGRES_PIPELINE_ABORTED) {
        err = DSND_ERR_UNAVAILABLE; /* the first error was told before */
    } else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        err = err_of(state ? state : "");
        describe(self, result);
        self->sqlstate[0] = '\0';
        if (state)
            memcpy(self->sqlstate, state, sizeof(self->sqlstate) - 1);
        if (PQstatus(self->pg) != CONNECTION_OK)
            self->broken = true;
    }
    if (err || !ret_result)
        PQclear(result);
    else
        *ret_result = result;
    return err;
}

/* Move octets until `done` or the deadline. */
static enum dsnd_err wait_for(struct store_conn *self, short events, int64_t deadline_ms)
{
    int64_t left = deadline_ms - dsnd_clock_monotonic_ms();
    int wait_ms = left > INT_MAX ? INT_MAX : (int)left;
    struct pollfd fd = {.fd = PQsocket(self->pg), .events = events};
    int n;

    if (left <= 0)
        return lost(self, "PostgreSQL did not answer in time");
    n = poll(&fd, 1, wait_ms);
    if (n < 0 && errno != EINTR)
        return lost(self, "the connection to PostgreSQL cannot be polled");
    if (n > 0 && (fd.revents & (POLLIN | POLLERR | POLLHUP)) && !PQconsumeInput(self->pg))
        return lost(self, "the connection to PostgreSQL was lost");
    return DSND_OK;
}

/* Send all that is buffered and read until a result is whole. */
static enum dsnd_err await(struct store_conn *self)
{
    int64_t now = dsnd_clock_monotonic_ms();
    int64_t deadline = self->answer_ms < INT64_MAX - now ? now + self->answer_ms : INT64_MAX;
    enum dsnd_err err = DSND_OK;

    while (!err) {
        int unsent = PQflush(self->pg);

        if (unsent < 0)
            return lost(self, "the connection to PostgreSQL was lost");
        if (!unsent && !PQisBusy(self->pg))
            return DSND_OK;
        err = wait_for(self, unsent ? POLLIN | POLLOUT : POLLIN, deadline);
    }
    return err;
}

/* The next result of the query under way; `*ret_result` NULL where there is no more. */
static enum dsnd_err take(struct store_conn *self, PGresult **ret_result)
{
    enum dsnd_err err = await(self);

    if (!err)
        *ret_result = PQgetResult(self->pg);
    return err;
}

/* All results of a query outside a pipeline: the first error, else the last result. */
static enum dsnd_err finish(struct store_conn *self, PGresult **ret_result)
{
    enum dsnd_err err = DSND_OK;
    PGresult *kept = NULL;

    for (;;) {
        PGresult *result = NULL;
        enum dsnd_err got = take(self, &result);

        if (got || !result) {
            err = err ? err : got;
            break;
        }
        if (err) {
            PQclear(result);
            continue;
        }
        PQclear(kept);
        kept = NULL;
        err = judge(self, result, &kept);
    }
    if (!err && !kept)
        err = lost(self, "PostgreSQL gave no answer");
    if (err || !ret_result)
        PQclear(kept);
    else
        *ret_result = kept;
    return err;
}

static enum dsnd_err sent(struct store_conn *self, int ok)
{
    return ok ? DSND_OK : lost(self, "the connection to PostgreSQL was lost");
}

static enum dsnd_err send_prepared(struct store_conn *self, enum statement statement,
                                   const struct pg_params *params)
{
    const char *values[PG_PARAMS_MAX];
    int formats[PG_PARAMS_MAX];
    int count = params ? params->count : 0;

    if (params && params->err)
        return params->err;
    pg_types_check(self, statement, params);
    for (int i = 0; i < count; i++) {
        const char *base = params->buf.ptr ? params->buf.ptr : "";

        values[i] = params->length[i] < 0 ? NULL : base + params->offset[i];
        formats[i] = 1;
    }
    return sent(self, PQsendQueryPrepared(self->pg, statement_texts[statement].name, count, values,
                                          params ? params->length : NULL, formats, 1));
}

static enum dsnd_err learn_types(struct store_conn *self, enum statement statement)
{
    PGresult *described = NULL;
    enum dsnd_err err =
        sent(self, PQsendDescribePrepared(self->pg, statement_texts[statement].name));

    if (!err)
        err = finish(self, &described);
    if (!err)
        err = pg_types_note(self, statement, described);
    PQclear(described);
    return err;
}

static enum dsnd_err prepare(struct store_conn *self, enum statement statement)
{
    const struct statement_text *text = &statement_texts[statement];
    enum dsnd_err err = sent(self, PQsendPrepare(self->pg, text->name, text->sql, 0, NULL));

    if (!err)
        err = finish(self, NULL);
    if (!err && PG_TYPES_CHECKED)
        err = learn_types(self, statement);
    self->prepared[statement] = !err;
    return err;
}

enum dsnd_err pg_prepare(struct store_conn *self, const enum statement *statements, size_t count)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < count && !err; i++)
        if (!self->prepared[statements[i]])
            err = prepare(self, statements[i]);
    return err;
}

enum dsnd_err pg_ask(struct store_conn *self, enum statement statement,
                     const struct pg_params *params)
{
    enum dsnd_err err = pg_prepare(self, &statement, 1);

    return err ? err : send_prepared(self, statement, params);
}

enum dsnd_err pg_answer(struct store_conn *self, PGresult **ret_result)
{
    return finish(self, ret_result);
}

bool pg_has_answer(struct store_conn *self)
{
    struct pollfd fd = {.fd = PQsocket(self->pg), .events = POLLIN};

    while (PQisBusy(self->pg) && poll(&fd, 1, 0) > 0 && PQconsumeInput(self->pg))
        continue;
    return !PQisBusy(self->pg);
}

enum dsnd_err pg_run(struct store_conn *self, enum statement statement,
                     const struct pg_params *params, PGresult **ret_result)
{
    enum dsnd_err err = pg_ask(self, statement, params);

    return err ? err : finish(self, ret_result);
}

enum dsnd_err pg_run_text(struct store_conn *self, const char *sql)
{
    enum dsnd_err err = sent(self, PQsendQuery(self->pg, sql));

    return err ? err : finish(self, NULL);
}

enum dsnd_err pg_pipeline_begin(struct store_conn *self)
{
    return sent(self, PQenterPipelineMode(self->pg));
}

enum dsnd_err pg_send(struct store_conn *self, enum statement statement,
                      const struct pg_params *params)
{
    self->unsynced = true;
    return send_prepared(self, statement, params);
}

enum dsnd_err pg_sync(struct store_conn *self)
{
    enum dsnd_err err = sent(self, PQpipelineSync(self->pg));

    if (!err) {
        self->unsynced = false;
        self->syncs++;
    }
    return err;
}

enum dsnd_err pg_next(struct store_conn *self, PGresult **ret_result)
{
    PGresult *result = NULL;
    PGresult *mark = NULL;
    enum dsnd_err err = take(self, &result);

    if (err)
        return err;
    if (!result)
        return lost(self, "PostgreSQL gave no answer");
    err = take(self, &mark); /* NULL ends the results of one statement */
    PQclear(mark);
    if (err) {
        PQclear(result);
        return err;
    }
    return judge(self, result, ret_result);
}

enum dsnd_err pg_next_sync(struct store_conn *self)
{
    PGresult *result = NULL;
    enum dsnd_err err = take(self, &result);
    bool is_sync = !err && result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;

    PQclear(result);
    if (!err && !is_sync)
        return lost(self, "PostgreSQL answered out of turn");
    if (!err)
        self->syncs--;
    return err;
}

void pg_pipeline_end(struct store_conn *self)
{
    if (PQpipelineStatus(self->pg) == PQ_PIPELINE_OFF)
        return;
    if (self->unsynced && !self->broken && pg_sync(self))
        self->broken = true;
    while (self->syncs && !self->broken) {
        PGresult *result = NULL;

        if (take(self, &result) == DSND_OK && result &&
            PQresultStatus(result) == PGRES_PIPELINE_SYNC)
            self->syncs--;
        PQclear(result);
    }
    if (!self->broken && !PQexitPipelineMode(self->pg))
        self->broken = true;
    self->unsynced = false;
    self->syncs = 0;
}

bool pg_may_repeat(const struct store_conn *self)
{
    return !self->broken &&
           (strncmp(self->sqlstate, "40", 2) == 0 || strcmp(self->sqlstate, "23505") == 0);
}

void pg_rollback(struct store_conn *self)
{
    char error[PG_ERROR_SIZE];
    char sqlstate[sizeof(self->sqlstate)];

    if (self->broken || PQtransactionStatus(self->pg) == PQTRANS_IDLE)
        return;
    memcpy(error, self->error, sizeof(error)); /* what went wrong is told, not this */
    memcpy(sqlstate, self->sqlstate, sizeof(sqlstate));
    if (pg_run_text(self, "ROLLBACK"))
        self->broken = true;
    memcpy(self->error, error, sizeof(error));
    memcpy(self->sqlstate, sqlstate, sizeof(sqlstate));
}
