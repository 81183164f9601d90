/*
 * The schema is brought up to date by the numbered files of sql/. Which were applied, and what they
 * held, is recorded: a file that was edited after it had been applied is refused, because nobody
 * could say what such a database holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/migrations.h"
#include "store/pg.h"
#include "store/store.h"

static const char bootstrap[] =
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    " version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"
    " program text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());"
    "COMMENT ON TABLE schema_migration IS 'Files of sql/ that were applied';"
    "COMMENT ON COLUMN schema_migration.version IS 'Number of the file';"
    "COMMENT ON COLUMN schema_migration.name IS 'Name of the file';"
    "COMMENT ON COLUMN schema_migration.sha256 IS 'SHA-256 of the file, hex';"
    "COMMENT ON COLUMN schema_migration.program IS 'Version of the program that applied it';"
    "COMMENT ON COLUMN schema_migration.applied_at IS 'When'";

/* Waits for another migration, however long it takes. The number is this program's own. */
static const char take_lock[] =
    "SET statement_timeout = 0; SET lock_timeout = 0;"
    "SET idle_in_transaction_session_timeout = 0; SELECT pg_advisory_lock(4920143, 1)";

static enum dsnd_err check_applied(struct store_conn *conn, const PGresult *applied, int row)
{
    int version = pg_i32(applied, row, 0);
    struct dsnd_str sha256 = pg_str(applied, row, 1);

    if (version > (int)migration_count) {
        pg_set_error(conn,
                     "the schema has version %d, this program knows only %d: "
                     "install the dsnd that ran dsnd migrate last",
                     version, store_schema_version);
        return DSND_ERR_VERSION;
    }
    if (version == row + 1 && dsnd_str_eq(sha256, dsnd_str_of(migrations[row].sha256)))
        return DSND_OK;
    pg_set_error(conn,
                 "migration %d was applied from another text than %s now holds: "
                 "an applied file must not be changed",
                 version, migrations[version > 0 ? version - 1 : 0].name);
    return DSND_ERR_CONFLICT;
}

static enum dsnd_err read_applied(struct store_conn *conn, size_t *ret_count)
{
    PGresult *applied = NULL;
    enum dsnd_err err = pg_run(conn, STATEMENT_MIGRATIONS, NULL, &applied);

    for (int i = 0; !err && i < PQntuples(applied); i++)
        err = check_applied(conn, applied, i);
    if (!err)
        *ret_count = (size_t)PQntuples(applied);
    PQclear(applied);
    return err;
}

static enum dsnd_err record(struct store_conn *conn, const struct migration *file)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i32(&params, file->number);
    pg_add_text(&params, dsnd_str_of(file->name));
    pg_add_text(&params, dsnd_str_of(file->sha256));
    pg_add_text(&params, dsnd_str_of(DSND_VERSION));
    err = pg_run(conn, STATEMENT_MIGRATION_ADD, &params, NULL);
    pg_params_done(&params);
    return err;
}

static enum dsnd_err apply(struct store_conn *conn, const struct migration *file)
{
    enum dsnd_err err = pg_run_text(conn, "BEGIN");

    if (!err)
        err = pg_run_text(conn, file->sql);
    if (!err)
        err = record(conn, file);
    if (!err)
        err = pg_run_text(conn, "COMMIT");
    if (err && !conn->broken) {
        char why[PG_ERROR_SIZE];

        memcpy(why, conn->error, sizeof(why));
        pg_rollback(conn);
        pg_set_error(conn, "%s: %.400s", file->name, why);
        err = DSND_ERR_REFUSED;
    }
    return err;
}

/* Today's partitions and the next ones, so that the first mail finds them. */
static enum dsnd_err make_partitions(struct store_conn *conn)
{
    int32_t today = (int32_t)(dsnd_clock_now_us() / DSND_US_PER_DAY);
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_day(&params, today - 1);
    pg_add_day(&params, today + STORE_DAYS_AHEAD);
    err = pg_run(conn, STATEMENT_PARTITION_ENSURE, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_migrate(const char *url, int *ret_applied, char *error, size_t error_size)
{
    struct store_conn *conn = NULL;
    enum dsnd_err err = pg_open(url, "dsnd migrate", &conn);
    size_t done = 0;
    int applied = 0;

    /* Summing up what a large database holds takes minutes. */
    if (!err)
        conn->answer_ms = INT64_MAX;
    if (!err)
        err = pg_run_text(conn, take_lock);
    if (!err)
        err = pg_run_text(conn, bootstrap);
    if (!err)
        err = read_applied(conn, &done);
    for (size_t i = done; i < migration_count && !err; i++) {
        err = apply(conn, &migrations[i]);
        applied += !err;
    }
    if (!err)
        err = make_partitions(conn);
    if (err &&
        snprintf(error, error_size, "%s", conn ? store_conn_error(conn) : dsnd_err_text(err)) < 0)
        error[0] = '\0';
    if (!err)
        *ret_applied = applied;
    store_conn_free(conn); /* the session's end gives the lock back */
    return err;
}
