#include "tests/support/db.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/store.h"

enum { SKIPPED = 77 };

const char *db_url(void)
{
    const char *url = getenv("DSND_TEST_DATABASE_URL");

    if (!url) {
        (void)fputs(
            "DSND_TEST_DATABASE_URL is not set: run under tests/support/pg_cluster.sh run\n",
            stderr);
        exit(SKIPPED);
    }
    return url;
}

static PGconn *connection(void)
{
    static PGconn *conn;

    if (conn && PQstatus(conn) != CONNECTION_OK) {
        PQfinish(conn);
        conn = NULL;
    }
    if (!conn)
        conn = PQconnectdb(db_url());
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(conn));
    return conn;
}

static PGresult *run(const char *sql)
{
    PGconn *conn = connection();
    PGresult *result = PQexec(conn, sql);

    if (PQstatus(conn) != CONNECTION_OK) { /* the test has restarted the server */
        PQclear(result);
        conn = connection();
        result = PQexec(conn, sql);
    }
    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(conn));
    return result;
}

void db_exec(const char *sql)
{
    PQclear(run(sql));
}

const char *db_text(const char *sql)
{
    static char text[4096];
    PGresult *result = run(sql);

    if (PQntuples(result) == 0)
        fail_msg("%s: no row", sql);
    assert_true(snprintf(text, sizeof(text), "%s", PQgetvalue(result, 0, 0)) >= 0);
    PQclear(result);
    return text;
}

int64_t db_int(const char *sql)
{
    return strtoll(db_text(sql), NULL, 10);
}

void db_exec_file(const char *path)
{
    static char sql[1 << 20];
    FILE *file = fopen(path, "re");
    size_t n;

    if (!file)
        fail_msg("%s cannot be read", path);
    n = fread(sql, 1, sizeof(sql) - 1, file);
    assert_int_equal(fclose(file), 0);
    sql[n] = '\0';
    db_exec(sql);
}

void db_empty(void)
{
    db_exec("SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

void db_fresh(void)
{
    char error[512] = "";
    int applied = 0;

    db_empty();
    if (store_migrate(db_url(), &applied, error, sizeof(error)))
        fail_msg("%s", error);
    assert_int_equal(applied, store_schema_version);
}
