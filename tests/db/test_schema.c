#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/migrations.h"
#include "store/pg.h"
#include "store/store.h"
#include "tests/support/db.h"

static void migrating_twice_applies_nothing_the_second_time(void **state)
{
    char error[512] = "";
    int applied = -1;

    (void)state;
    db_fresh();
    assert_int_equal(store_migrate(db_url(), &applied, error, sizeof(error)), DSND_OK);
    assert_int_equal(applied, 0);
    assert_int_equal(db_int("SELECT count(*) FROM schema_migration"), store_schema_version);
}

static void an_edited_applied_file_is_refused(void **state)
{
    char error[512] = "";
    int applied = -1;

    (void)state;
    db_fresh();
    db_exec("UPDATE schema_migration SET sha256 = repeat('0', 64) WHERE version = 2");
    assert_int_equal(store_migrate(db_url(), &applied, error, sizeof(error)), DSND_ERR_CONFLICT);
    assert_non_null(strstr(error, "0002_records.sql"));
}

static void a_schema_of_another_version_is_not_touched(void **state)
{
    static const struct {
        const char *change;
        const char *words;
    } rows[] = {
        {"DELETE FROM schema_migration WHERE version > 1", "run dsnd migrate"},
        {"INSERT INTO schema_migration (version, name, sha256, program) "
         "VALUES (999, 'x', 'y', 'z')",
         "version 999"},
        {"DROP TABLE schema_migration", "version 0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct store_conn *conn = NULL;

        db_fresh();
        db_exec(rows[i].change);
        assert_int_equal(store_connect(db_url(), "test", &conn), DSND_ERR_VERSION);
        assert_non_null(strstr(store_conn_error(conn), rows[i].words));
        store_conn_free(conn);
    }
}

static void migrating_a_newer_schema_is_refused(void **state)
{
    char error[512] = "";
    int applied = -1;

    (void)state;
    db_fresh();
    db_exec("INSERT INTO schema_migration (version, name, sha256, program) "
            "VALUES (999, 'x', 'y', 'z')");
    assert_int_equal(store_migrate(db_url(), &applied, error, sizeof(error)), DSND_ERR_VERSION);
    assert_non_null(strstr(error, "999"));
}

static void downgrades_leave_nothing_behind(void **state)
{
    (void)state;
    db_fresh();
    for (size_t i = migration_count; i-- > 0;) {
        char path[1024];

        assert_true(snprintf(path, sizeof(path), "%s/sql/down/%s", SOURCE_DIR, migrations[i].name) <
                    (int)sizeof(path));
        db_exec_file(path);
    }
    assert_string_equal(db_text("SELECT coalesce(string_agg(relname, ' '), '') FROM pg_class "
                                "WHERE relnamespace = 'public'::regnamespace "
                                "AND relname NOT LIKE 'schema_migration%'"),
                        "");
    assert_string_equal(db_text("SELECT coalesce(string_agg(proname, ' '), '') FROM pg_proc "
                                "WHERE pronamespace = 'public'::regnamespace"),
                        "");
}

static void every_table_column_and_function_has_a_comment(void **state)
{
    (void)state;
    db_fresh();
    assert_string_equal(
        db_text("SELECT coalesce(string_agg(c.relname || coalesce('.' || a.attname, ''), ' '), '') "
                "FROM pg_class c "
                "CROSS JOIN LATERAL (SELECT attnum, attname FROM pg_attribute "
                "  WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped "
                "  UNION ALL SELECT 0, NULL) a "
                "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') "
                "AND NOT c.relispartition "
                "AND (CASE WHEN a.attnum = 0 THEN obj_description(c.oid, 'pg_class') "
                "     ELSE col_description(c.oid, a.attnum) END) IS NULL"),
        "");
    assert_string_equal(db_text("SELECT coalesce(string_agg(proname, ' '), '') FROM pg_proc "
                                "WHERE pronamespace = 'public'::regnamespace "
                                "AND obj_description(oid, 'pg_proc') IS NULL"),
                        "");
}

/* Citus itself is not here; what it asks of a table is. */
static const char citus_stand_in[] =
    "CREATE TABLE distributed (name text, by text); "
    "CREATE FUNCTION create_reference_table(name regclass) RETURNS void LANGUAGE sql AS "
    "'INSERT INTO distributed VALUES (name::text, NULL)'; "
    "CREATE FUNCTION create_distributed_table(name regclass, by text, colocate_with text "
    "DEFAULT 'default') RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
    "IF EXISTS (SELECT FROM pg_index i WHERE i.indrelid = name AND i.indisunique AND NOT EXISTS "
    "(SELECT FROM pg_attribute a WHERE a.attrelid = name AND a.attname = by "
    "AND a.attnum = ANY (i.indkey))) "
    "THEN RAISE EXCEPTION '% has a unique key without %', name, by; END IF; "
    "INSERT INTO distributed VALUES (name::text, by); END $$";

static void every_table_that_grows_with_mail_can_be_distributed(void **state)
{
    (void)state;
    db_fresh();
    db_exec(citus_stand_in);
    db_exec_file(SOURCE_DIR "/sql/citus.sql");
    /* By campaign wherever there is one, or by what else names a row. */
    assert_string_equal(
        db_text("SELECT coalesce(string_agg(c.relname, ' ' ORDER BY c.relname), '') "
                "FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace "
                "AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
                "AND NOT EXISTS (SELECT FROM distributed d WHERE d.name = c.relname) "
                "AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid "
                "AND a.attname = 'campaign_id')"),
        "incident_campaign incident_proof reclassify_change suppression_change "
        "suppression_guard"); /* in one
               order; small */
}

static void every_statement_can_be_prepared(void **state)
{
    struct store_conn *conn = NULL;

    (void)state;
    db_fresh();
    assert_int_equal(store_connect(db_url(), "test", &conn), DSND_OK);
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        enum statement statement = (enum statement)i;

        if (pg_prepare(conn, &statement, 1))
            fail_msg("%s: %s", statement_texts[i].name, store_conn_error(conn));
    }
    store_conn_free(conn);
}

/* Values go in binary: a type that is inferred and cannot be sent is one that is read wrongly. */
static void every_parameter_has_a_type_that_is_sent(void **state)
{
    static const enum pg_type sent[] = {PG_BOOL, PG_BYTEA, PG_INT8,        PG_INT2, PG_INT4,
                                        PG_TEXT, PG_DATE,  PG_TIMESTAMPTZ, PG_UUID};
    struct store_conn *conn = NULL;

    (void)state;
    db_fresh();
    assert_int_equal(store_connect(db_url(), "test", &conn), DSND_OK);
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        enum statement statement = (enum statement)i;
        PGresult *result;

        assert_int_equal(pg_prepare(conn, &statement, 1), DSND_OK);
        result = PQdescribePrepared(conn->pg, statement_texts[i].name);
        assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
        assert_in_range(PQnparams(result), 0, PG_PARAMS_MAX);
        for (int p = 0; p < PQnparams(result); p++) {
            Oid type = PQparamtype(result, p);
            bool known = false;

            for (size_t s = 0; s < sizeof(sent) / sizeof(*sent) && !known; s++)
                known = type == (Oid)sent[s] || type == pg_array_of(sent[s]);
            if (!known)
                fail_msg("%s: $%d is of type %u", statement_texts[i].name, p + 1, type);
        }
        PQclear(result);
    }
    store_conn_free(conn);
}

static void partitions_cover_the_days_around_today(void **state)
{
    (void)state;
    db_fresh();
    assert_int_equal(db_int("SELECT count(*) FROM pg_inherits "
                            "WHERE inhparent = 'status'::regclass"),
                     STORE_DAYS_AHEAD + 2);
    assert_int_equal(db_int("SELECT partition_ensure(current_date, current_date)"), 0);
    assert_int_equal(db_int("SELECT partition_ensure('2029-02-28', '2029-03-01')"), 10);
    assert_int_equal(db_int("SELECT partition_drop('report_raw', current_date + 1)"), 2);
}

/* ---- what a database held before ---- */

/* Sends of full hours, and deliveries in every state, of half of them known when they were sent. */
#define SENDS                                                                                  \
    "(SELECT 'c' || n % 3 AS campaign, 'r' || n AS ref, 'a' || n || '@x.example' AS address, " \
    "n::bigint AS key, (ARRAY['google', 'yahoo', ''])[1 + n % 3] AS provider, "                \
    "timestamptz '2026-11-20 00:00Z' + n % 50 * interval '1 hour' AS sent_at "                 \
    "FROM generate_series(1, 300) n) s"
#define DELIVERIES                                                                              \
    "INSERT INTO delivery (campaign_id, ref, state, class, kind, provider, outcome_at, "        \
    "status_id, delayed_at, delayed_class, delayed_provider, delay_expired_at, complained_at, " \
    "complained_provider) SELECT c.id, 'r' || n, n % 5, 1 + n % 4, 1 + n % 3, 'google', "       \
    "now(), n, CASE WHEN n % 5 = 1 OR n % 7 = 0 THEN now() END, 2, 'yahoo', "                   \
    "CASE WHEN n % 10 = 1 THEN now() END, CASE WHEN n % 5 = 0 THEN now() END, 'google' "        \
    "FROM generate_series(1, 600) n JOIN campaign c ON c.key = 'c' || n % 3;"                   \
    "INSERT INTO total_hour AS t (campaign_id, hour, provider, class, failed, hard, statuses) " \
    "SELECT id, '2026-11-21 07:00Z', 'google', 1, 5, 5, 9 FROM campaign WHERE key <> ''"
#define CAMPAIGNS "INSERT INTO campaign (key) VALUES ('c0'), ('c1'), ('c2')"

static const char sums[] =
    "SELECT count(*) || ' ' || md5(string_agg(x.t, ' ' ORDER BY x.t)) FROM ("
    "SELECT t::text FROM total_cohort t WHERE sent + failed + delivered + handed_off + delay_open "
    "+ delayed + complained > 0 UNION ALL SELECT t::text FROM total_roll t WHERE sent + failed "
    "+ delivered + handed_off + delay_open + delayed + complained + statuses > 0 "
    "UNION ALL SELECT t::text FROM total_hour_all t UNION ALL SELECT t::text FROM total_delay t "
    "WHERE open + handed_off + delivered + failed + expired > 0 "
    "UNION ALL SELECT t::text FROM total_delay_slot t WHERE open > 0) x(t)";

static void migrate_up_to(size_t count)
{
    db_exec("CREATE TABLE schema_migration (version integer PRIMARY KEY, name text NOT NULL, "
            "sha256 text NOT NULL, program text NOT NULL, "
            "applied_at timestamptz NOT NULL DEFAULT now())");
    for (size_t i = 0; i < count; i++) {
        char sql[512];

        db_exec(migrations[i].sql);
        assert_true(snprintf(sql, sizeof(sql),
                             "INSERT INTO schema_migration (version, name, sha256, program) "
                             "VALUES (%d, '%s', '%s', 'x')",
                             migrations[i].number, migrations[i].name,
                             migrations[i].sha256) < (int)sizeof(sql));
        db_exec(sql);
    }
}

static void what_was_stored_before_is_summed_up_as_what_comes_after(void **state)
{
    enum { BEFORE = 15 };
    char expected[128] = "";
    char error[512] = "";
    int applied = 0;

    (void)state;
    db_fresh();
    db_exec(CAMPAIGNS);
    db_exec("SELECT send_add(array_agg(campaign), array_agg(ref), array_agg(address), "
            "array_agg(key), array_agg(NULL::text), array_agg(NULL::text), array_agg(provider), "
            "array_agg(sent_at)) FROM " SENDS);
    db_exec(DELIVERIES);
    db_exec("UPDATE delivery d SET sent_at = s.sent_at, sent_registered = true FROM send s "
            "WHERE s.campaign_id = d.campaign_id AND s.ref = d.ref");
    assert_int_equal(dsnd_str_copy(dsnd_str_of(db_text(sums)), expected, sizeof(expected)),
                     DSND_OK);
    db_empty();
    migrate_up_to(BEFORE);
    db_exec(CAMPAIGNS);
    db_exec("INSERT INTO send (campaign_id, ref, recipient, recipient_key, provider, sent_at) "
            "SELECT c.id, s.ref, s.address, s.key, s.provider, s.sent_at "
            "FROM campaign c JOIN " SENDS " ON s.campaign = c.key; "
            "INSERT INTO total_hour (campaign_id, hour, provider, class, sent) "
            "SELECT campaign_id, sent_at, provider, 0, count(*) FROM send GROUP BY 1, 2, 3");
    db_exec(DELIVERIES);
    /* They count for nothing, and are more than PostgreSQL holds in one value, which is 1 GB. */
    db_exec("INSERT INTO delivery (campaign_id, ref, state, class, kind, provider, outcome_at, "
            "status_id, delayed_provider) SELECT 1, 'long', 0, 0, 0, '', now(), 0, "
            "repeat('x', 50000000);"
            "INSERT INTO delivery (campaign_id, ref, state, class, kind, provider, outcome_at, "
            "status_id, delayed_provider) SELECT 1, 'long' || n, 0, 0, 0, '', now(), 0, "
            "delayed_provider FROM delivery, generate_series(1, 22) n WHERE ref = 'long'");
    if (store_migrate(db_url(), &applied, error, sizeof(error)))
        fail_msg("%s", error);
    assert_int_equal(applied, store_schema_version - BEFORE);
    assert_string_equal(db_text(sums), expected);
}

static void pool_gives_at_most_its_size_and_replaces_lost_connections(void **state)
{
    struct store_pool *pool = NULL;
    struct store_conn *a = NULL;
    struct store_conn *b = NULL;
    struct store_conn *c = NULL;
    char error[256];

    (void)state;
    db_fresh();
    assert_int_equal(store_pool_new(db_url(), "pooltest", 2, &pool), DSND_OK);
    assert_int_equal(store_pool_take(pool, 1000, &a), DSND_OK);
    assert_int_equal(store_pool_take(pool, 1000, &b), DSND_OK);
    assert_int_equal(store_pool_take(pool, 20, &c), DSND_ERR_UNAVAILABLE);
    store_pool_error(pool, error, sizeof(error));
    assert_non_null(strstr(error, "in use"));
    store_pool_give(pool, a);
    store_pool_give(pool, b);
    assert_true(db_int("SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                       "WHERE application_name = 'pooltest'") == 2);
    assert_int_equal(store_pool_take(pool, 1000, &a), DSND_OK);
    assert_int_equal(pg_check_version(a), DSND_OK);
    store_pool_give(pool, a);
    store_pool_free(pool);
}

static void an_answer_is_awaited_for_a_time_or_as_long_as_it_takes(void **state)
{
    struct store_conn *conn = NULL;

    (void)state;
    assert_int_equal(pg_open(db_url(), "test", &conn), DSND_OK);
    conn->answer_ms = INT64_MAX;
    assert_int_equal(pg_run_text(conn, "SELECT pg_sleep(0.2)"), DSND_OK);
    conn->answer_ms = 50;
    assert_int_equal(pg_run_text(conn, "SELECT pg_sleep(10)"), DSND_ERR_UNAVAILABLE);
    assert_true(conn->broken);
    store_conn_free(conn);
}

static void a_database_that_is_away_is_unavailable(void **state)
{
    struct store_conn *conn = NULL;

    (void)state;
    assert_int_equal(store_connect("postgresql://x@127.0.0.1:1/x", "test", &conn),
                     DSND_ERR_UNAVAILABLE);
    assert_true(store_conn_error(conn)[0] != '\0');
    store_conn_free(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(migrating_twice_applies_nothing_the_second_time),
        cmocka_unit_test(an_edited_applied_file_is_refused),
        cmocka_unit_test(a_schema_of_another_version_is_not_touched),
        cmocka_unit_test(migrating_a_newer_schema_is_refused),
        cmocka_unit_test(downgrades_leave_nothing_behind),
        cmocka_unit_test(every_table_column_and_function_has_a_comment),
        cmocka_unit_test(every_table_that_grows_with_mail_can_be_distributed),
        cmocka_unit_test(every_statement_can_be_prepared),
        cmocka_unit_test(every_parameter_has_a_type_that_is_sent),
        cmocka_unit_test(partitions_cover_the_days_around_today),
        cmocka_unit_test(what_was_stored_before_is_summed_up_as_what_comes_after),
        cmocka_unit_test(pool_gives_at_most_its_size_and_replaces_lost_connections),
        cmocka_unit_test(an_answer_is_awaited_for_a_time_or_as_long_as_it_takes),
        cmocka_unit_test(a_database_that_is_away_is_unavailable),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
