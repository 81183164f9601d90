/* Incidents: opened when a cause on the sender's side becomes dense, closed when it is quiet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/query_incident.h"
#include "store/query_status.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

static const char journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char block_text[] =
    "550 5.7.1 Client host [203.0.113.5] blocked using zen.example.org";

#define MINUTE (60 * DSND_US_PER_S)

struct run {
    struct items *items;
    struct store_conn *conn;
    int next;
};

static struct run begin(void)
{
    struct run run = {.items = items_new()};

    db_fresh();
    run.conn = items_connect();
    return run;
}

static void end(struct run *run)
{
    /* Nothing is counted but what is there. */
    assert_int_equal(db_int("SELECT count(*) FROM incident i WHERE records <> (SELECT sum(records) "
                            "FROM incident_campaign c WHERE c.incident_id = i.id)"),
                     0);
    assert_int_equal(db_int("SELECT count(*) FROM incident i WHERE opened_at IS NULL AND "
                            "(records, proven) <> (SELECT sum(records), sum(proven) FROM "
                            "incident_slot s WHERE s.incident_id = i.id)"),
                     0);
    items_check_totals();
    store_conn_free(run->conn);
    items_free(run->items);
}

/* `count` records, each about somebody else, `step_us` apart; written with what was added before.
 */
static void refuse(struct run *run, int count, int64_t step_us, const struct item_spec *given)
{
    for (int i = 0; i < count; i++, run->next++) {
        struct item_spec spec = *given;
        char *address = dsnd_arena_alloc(&run->items->arena, 64);

        assert_true(snprintf(address, 64, "user%d@mail.example", run->next) > 0);
        if (!spec.to) {
            spec.signed_campaign = spec.signed_campaign ? spec.signed_campaign : "spring";
            spec.signed_for = address;
        }
        spec.recipient = address;
        spec.action = spec.action ? spec.action : REPORT_ACTION_FAILED;
        spec.klass = spec.klass ? spec.klass : REPORT_CLASS_REPUTATION_BLOCK;
        spec.provider = spec.provider ? spec.provider : "google";
        spec.diagnostic = spec.diagnostic ? spec.diagnostic : block_text;
        spec.us = (spec.us ? spec.us : ITEMS_NOON) + i * step_us;
        items_add(run->items, &spec);
    }
    (void)items_write(run->conn, journal, run->items);
}

static const struct item_spec plain = {.kind = REPORT_KIND_DSN};

static void pass(struct run *run, int64_t us)
{
    const struct store_retention keep = {.status_us = 400 * DSND_US_PER_DAY};

    assert_int_equal(store_maintain(run->conn, &keep, us), DSND_OK);
}

static int64_t opened(void)
{
    return db_int("SELECT count(*) FROM incident WHERE opened_at IS NOT NULL");
}

static int64_t open_now(void)
{
    return db_int(
        "SELECT count(*) FROM incident WHERE opened_at IS NOT NULL AND closed_at IS NULL");
}

static void few_records_are_no_incident_and_are_forgotten(void **state)
{
    struct run run = begin();

    (void)state;
    refuse(&run, 19, MINUTE, &plain);
    pass(&run, ITEMS_NOON + ITEMS_HOUR);
    assert_int_equal(opened(), 0);
    assert_int_equal(db_int("SELECT count(*) FROM incident"), 1);
    pass(&run, ITEMS_NOON + 7 * ITEMS_HOUR);
    assert_int_equal(db_int("SELECT (SELECT count(*) FROM incident) + "
                            "(SELECT count(*) FROM incident_slot)"),
                     0);
    end(&run);
}

static void records_within_a_window_open_one(void **state)
{
    struct run run = begin();
    struct store_rows *rows = NULL;

    (void)state;
    refuse(&run, 19, MINUTE, &plain);
    pass(&run, ITEMS_NOON + 20 * MINUTE);
    assert_int_equal(opened(), 0);
    refuse(&run, 1, 0,
           &(struct item_spec){.us = ITEMS_NOON + 20 * MINUTE, .signed_campaign = "summer"});
    pass(&run, ITEMS_NOON + 21 * MINUTE);
    assert_int_equal(store_incident_list(run.conn,
                                         &(struct store_incident_filter){.klass = -1, .open = -1},
                                         DSND_STR_ABSENT, 10, &rows),
                     DSND_OK);
    assert_int_equal(store_rows_count(rows), 1);
    assert_int_equal(store_rows_int(rows, 0, STORE_INCIDENT_OPEN), 1);
    assert_int_equal(store_rows_int(rows, 0, STORE_INCIDENT_RECORDS), 20);
    assert_int_equal(store_rows_int(rows, 0, STORE_INCIDENT_PROVEN), 20);
    assert_int_equal(store_rows_int(rows, 0, STORE_INCIDENT_CAMPAIGNS), 2);
    assert_int_equal(store_rows_int(rows, 0, STORE_INCIDENT_CLASS), REPORT_CLASS_REPUTATION_BLOCK);
    assert_true(
        dsnd_str_eq(store_rows_value(rows, 0, STORE_INCIDENT_SENDER), DSND_STR("203.0.113.5")));
    assert_true(
        dsnd_str_eq(store_rows_value(rows, 0, STORE_INCIDENT_SAMPLE), dsnd_str_of(block_text)));
    assert_true(dsnd_str_eq(store_rows_value(rows, 0, STORE_INCIDENT_RULE), DSND_STR("rule-x")));
    assert_false(dsnd_str_present(store_rows_value(rows, 0, STORE_INCIDENT_ENDED_AT)));
    store_rows_free(rows);
    assert_int_equal(db_int("SELECT extract(epoch FROM last_at - started_at) FROM incident"),
                     20 * 60);
    assert_int_equal(db_int("SELECT count(*) FROM incident_slot"), 0);
    end(&run);
}

static void thin_records_open_none_however_many(void **state)
{
    struct run run = begin();

    (void)state;
    refuse(&run, 100, 4 * MINUTE, &plain); /* 15 an hour */
    pass(&run, ITEMS_NOON + 400 * MINUTE);
    assert_int_equal(opened(), 0);
    assert_int_equal(db_int("SELECT records FROM incident"), 100);
    end(&run);
}

static void the_order_of_arrival_makes_no_difference(void **state)
{
    struct run run = begin();

    (void)state;
    refuse(&run, 5, MINUTE, &(struct item_spec){.us = ITEMS_NOON + 100 * MINUTE});
    pass(&run, ITEMS_NOON + 110 * MINUTE);
    refuse(&run, 15, 4 * MINUTE, &plain);
    pass(&run, ITEMS_NOON + 110 * MINUTE);
    assert_int_equal(opened(), 0);
    /* They come late and make an hour full that is over. */
    refuse(&run, 5, MINUTE, &plain);
    pass(&run, ITEMS_NOON + 110 * MINUTE);
    assert_int_equal(open_now(), 1);
    assert_int_equal(
        db_int("SELECT extract(epoch FROM started_at)::bigint * 1000000 FROM incident"),
        ITEMS_NOON);
    end(&run);
}

static void an_open_one_grows_closes_when_quiet_and_another_opens(void **state)
{
    struct run run = begin();
    int64_t us = ITEMS_NOON;

    (void)state;
    refuse(&run, 20, 0, &plain);
    pass(&run, us);
    assert_int_equal(open_now(), 1);
    us += 5 * ITEMS_HOUR;
    refuse(&run, 3, 0, &(struct item_spec){.us = us, .blocklist = "zen.example.org"});
    pass(&run, us + 6 * ITEMS_HOUR);
    assert_int_equal(open_now(), 1);
    assert_int_equal(db_int("SELECT records FROM incident"), 23);
    assert_string_equal(db_text("SELECT blocklist FROM incident"), "zen.example.org");
    us += 6 * ITEMS_HOUR + MINUTE;
    pass(&run, us);
    pass(&run, us + MINUTE);
    assert_int_equal(open_now(), 0);
    assert_int_equal(db_int("SELECT extract(epoch FROM closed_at)::bigint * 1000000 FROM incident"),
                     us);
    /* The same cause again is another incident. */
    refuse(&run, 19, 0, &(struct item_spec){.us = us + MINUTE});
    pass(&run, us + 2 * MINUTE);
    assert_int_equal(open_now(), 0);
    refuse(&run, 1, 0, &(struct item_spec){.us = us + MINUTE});
    pass(&run, us + 2 * MINUTE);
    assert_int_equal(open_now(), 1);
    assert_int_equal(db_int("SELECT records FROM incident WHERE closed_at IS NOT NULL"), 23);
    assert_int_equal(db_int("SELECT records FROM incident WHERE closed_at IS NULL"), 20);
    end(&run);
}

static void old_ones_are_forgotten_with_their_records(void **state)
{
    struct run run = begin();

    (void)state;
    refuse(&run, 20, 0, &plain);
    pass(&run, ITEMS_NOON);
    pass(&run, ITEMS_NOON + 7 * ITEMS_HOUR);
    pass(&run, ITEMS_NOON + 400 * DSND_US_PER_DAY);
    assert_int_equal(opened(), 1);
    pass(&run, ITEMS_NOON + 401 * DSND_US_PER_DAY);
    assert_int_equal(db_int("SELECT (SELECT count(*) FROM incident) + "
                            "(SELECT count(*) FROM incident_campaign)"),
                     0);
    store_conn_free(run.conn);
    items_free(run.items);
}

static void what_differs_makes_runs_of_its_own(void **state)
{
    static const struct item_spec rows[] = {
        {.kind = REPORT_KIND_DSN},
        {.provider = "yahoo"},
        {.klass = REPORT_CLASS_AUTH_FAILURE},
        {.klass = REPORT_CLASS_CONTENT_BLOCK},
        {.diagnostic = "550 5.7.1 Client host [203.0.113.6] blocked using zen.example.org"},
        {.diagnostic = "550 5.7.1 Client host [203.0.113.5] has a bad reputation"},
        {.diagnostic = "550 5.7.1 blocked", .reporting_mta = "OUT.example.com"},
        {.diagnostic = "550 5.7.1 blocked", .reporting_mta = "out2.example.com"},
    };
    static const struct item_spec same[] = {
        {.action = REPORT_ACTION_DELAYED},
        {.klass = REPORT_CLASS_EXPIRED, .cause = REPORT_CLASS_REPUTATION_BLOCK},
        {.signed_campaign = "summer"},
    };
    static const struct item_spec none[] = {
        {.klass = REPORT_CLASS_POLICY_REFUSED},
        {.klass = REPORT_CLASS_EXPIRED, .cause = REPORT_CLASS_NETWORK},
        {.klass = REPORT_CLASS_THROTTLED, .action = REPORT_ACTION_DELAYED},
        {.action = REPORT_ACTION_DELIVERED},
    };
    struct run run = begin();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        refuse(&run, 1, 0, &rows[i]);
        assert_int_equal(db_int("SELECT count(*) FROM incident"), i + 1);
    }
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
        refuse(&run, 1, 0, &same[i]);
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        refuse(&run, 1, 0, &none[i]);
    assert_int_equal(db_int("SELECT count(*) FROM incident"), 8);
    assert_int_equal(db_int("SELECT max(records) FROM incident"), 4);
    assert_int_equal(db_int("SELECT count(*) FROM incident WHERE sender = 'out.example.com'"), 1);
    assert_int_equal(db_int("SELECT count(*) FROM status s JOIN incident i ON i.key = "
                            "s.incident_key"),
                     11);
    assert_int_equal(db_int("SELECT count(*) FROM status WHERE incident_key IS NULL"), 4);
    end(&run);
}

static void a_batch_that_is_given_again_counts_once(void **state)
{
    struct run run = begin();

    (void)state;
    refuse(&run, 10, 0, &plain);
    for (int i = 0; i < 3; i++)
        (void)items_write(run.conn, journal, run.items);
    assert_int_equal(db_int("SELECT records FROM incident"), 10);
    /* And so does the same report by another way. */
    (void)items_write(run.conn, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", run.items);
    assert_int_equal(db_int("SELECT records FROM incident"), 10);
    end(&run);
}

static void what_proves_too_little_to_be_counted_makes_none(void **state)
{
    struct run run = begin();
    struct store_policy policy = items_policy();
    struct store_journal_position position = {
        .journal_id = journal, .sequence = 1, .segment = 1, .offset = 1};
    struct store_batch_result result;

    (void)state;
    items_add(run.items, &(struct item_spec){.recipient = "a@mail.example",
                                             .action = REPORT_ACTION_FAILED,
                                             .klass = REPORT_CLASS_CONTENT_BLOCK});
    policy.min_evidence = STORE_EVIDENCE_MATCHED;
    assert_int_equal(store_write_batch(run.conn, &policy, &position, run.items->item, 1, &result),
                     DSND_OK);
    assert_int_equal(db_int("SELECT count(*) FROM incident"), 0);
    assert_int_equal(db_int("SELECT count(*) FROM status"), 1);
    store_conn_free(run.conn);
    items_free(run.items);
}

static void a_class_without_a_limit_opens_none(void **state)
{
    struct run run = begin();

    (void)state;
    db_exec("DELETE FROM incident_limit WHERE class = 10");
    refuse(&run, 40, 0, &plain);
    pass(&run, ITEMS_NOON);
    assert_int_equal(opened(), 0);
    db_exec("INSERT INTO incident_limit VALUES (10, 41, 3600, 3600)");
    pass(&run, ITEMS_NOON);
    assert_int_equal(opened(), 0);
    db_exec("UPDATE incident_limit SET records = 40");
    pass(&run, ITEMS_NOON);
    assert_int_equal(open_now(), 1);
    pass(&run, ITEMS_NOON + ITEMS_HOUR + 1);
    assert_int_equal(open_now(), 0);
    end(&run);
}

/* Anybody can send what is not signed. */
static void strangers_open_none_unless_they_may(void **state)
{
    static const struct {
        int signed_ones;
        int strange_ones;
        const char *needed; /* incident_limit.proven; NULL as installed */
        int open;
    } rows[] = {
        {0, 40, NULL, 0}, {19, 40, NULL, 0}, {20, 40, NULL, 1}, {0, 19, "0", 0},
        {0, 20, "0", 1},  {4, 40, "5", 0},   {5, 15, "5", 1},   {5, 14, "5", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct run run = begin();
        char sql[128];

        assert_true(snprintf(sql, sizeof(sql), "UPDATE incident_limit SET proven = %s",
                             rows[i].needed ? rows[i].needed : "proven") < (int)sizeof(sql));
        db_exec(sql);
        refuse(&run, rows[i].strange_ones, 0, &(struct item_spec){.to = "bounce@b.example.com"});
        refuse(&run, rows[i].signed_ones, 0, &plain);
        pass(&run, ITEMS_NOON);
        if (open_now() != rows[i].open)
            fail_msg("case %zu", i);
        assert_int_equal(db_int("SELECT proven FROM incident"), rows[i].signed_ones);
        end(&run);
    }
}

static void nobody_is_named(void **state)
{
    struct run run = begin();

    (void)state;
    refuse(&run, 1, 0,
           &(struct item_spec){.diagnostic = "550 <person@mail.example>: blocked, see x@y"});
    assert_int_equal(db_int("SELECT count(*) FROM incident i WHERE i::text LIKE '%@%'"), 0);
    assert_string_equal(db_text("SELECT sample FROM incident"), "550 <...>: blocked, see ...");
    end(&run);
}

/* He holds the signed path of his own mail, and may report of it as often as he likes. */
static void one_person_opens_none(void **state)
{
    struct run run = begin();

    (void)state;
    for (int i = 0; i < 50; i++) {
        items_add(run.items, &(struct item_spec){.signed_campaign = "spring",
                                                 .signed_for = "me@evil.example",
                                                 .recipient = "me@evil.example",
                                                 .action = REPORT_ACTION_FAILED,
                                                 .klass = REPORT_CLASS_REPUTATION_BLOCK,
                                                 .provider = "google",
                                                 .diagnostic = block_text,
                                                 .us = ITEMS_NOON + i});
        if (i % 10 == 0)
            (void)items_write(run.conn, journal, run.items);
    }
    (void)items_write(run.conn, journal, run.items);
    pass(&run, ITEMS_NOON + MINUTE);
    assert_int_equal(db_int("SELECT records FROM incident"), 50);
    assert_int_equal(db_int("SELECT proven FROM incident"), 1);
    assert_int_equal(opened(), 0);
    /* What others report beside his counts. */
    refuse(&run, 18, 0, &plain);
    pass(&run, ITEMS_NOON + MINUTE);
    assert_int_equal(opened(), 0);
    refuse(&run, 1, 0, &(struct item_spec){.signed_campaign = "summer"});
    pass(&run, ITEMS_NOON + MINUTE);
    assert_int_equal(opened(), 1);
    assert_int_equal(db_int("SELECT count(*) FROM incident_proof"), 0);
    end(&run);
}

static void the_records_of_one_are_found(void **state)
{
    struct run run = begin();
    struct store_status_filter filter = {.klass = -1, .action = -1};
    struct store_rows *rows = NULL;

    (void)state;
    refuse(&run, 20, MINUTE, &plain);
    refuse(&run, 20, MINUTE, &(struct item_spec){.provider = "yahoo"});
    pass(&run, ITEMS_NOON);
    filter.incident = db_int("SELECT id FROM incident WHERE provider = 'yahoo'");
    assert_int_equal(store_status_list(run.conn, &filter, DSND_STR_ABSENT, 100, &rows), DSND_OK);
    assert_int_equal(store_rows_count(rows), 20);
    for (size_t i = 0; i < store_rows_count(rows); i++)
        assert_true(
            dsnd_str_eq(store_rows_value(rows, i, STORE_STATUS_PROVIDER), DSND_STR("yahoo")));
    store_rows_free(rows);
    end(&run);
}

/* ---- several writers and maintenance at once ---- */

enum { WRITERS = 3, BATCHES = 12, BATCH = 50 };

struct writer {
    char journal[33];
    int number;
    pthread_t thread;
};

static void *write_much(void *context)
{
    struct writer *self = context;
    struct run run = {.items = items_new(), .conn = items_connect(), .next = self->number * 100000};
    static const char *const texts[] = {"550 spam", "550 listed", "550 bad reputation"};

    for (int i = 0; i < BATCHES; i++) {
        items_free(run.items);
        run.items = items_new();
        run.items->next_sequence = (uint64_t)i * BATCH + 1;
        for (int k = 0; k < BATCH; k++) {
            char *address = dsnd_arena_alloc(&run.items->arena, 64);

            assert_true(snprintf(address, 64, "user%d@mail.example", run.next++) > 0);
            items_add(run.items, &(struct item_spec){.signed_campaign = k % 2 ? "odd" : "even",
                                                     .signed_for = address,
                                                     .recipient = address,
                                                     .action = REPORT_ACTION_FAILED,
                                                     .klass = REPORT_CLASS_CONTENT_BLOCK,
                                                     .provider = k % 5 ? "google" : "yahoo",
                                                     .diagnostic = texts[(i + k) % 3],
                                                     .body = run.next});
        }
        (void)items_write(run.conn, self->journal, run.items);
        if (i % 4 == self->number)
            pass(&run, ITEMS_NOON + i * MINUTE);
    }
    store_conn_free(run.conn);
    items_free(run.items);
    return NULL;
}

static void writers_at_once_count_exactly(void **state)
{
    struct run run = begin();
    struct writer writers[WRITERS];

    (void)state;
    for (int i = 0; i < WRITERS; i++) {
        writers[i].number = i;
        memset(writers[i].journal, 'a' + i, 32);
        writers[i].journal[32] = '\0';
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_much, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
    pass(&run, ITEMS_NOON);
    assert_int_equal(db_int("SELECT sum(records) FROM incident"), WRITERS * BATCHES * BATCH);
    assert_int_equal(db_int("SELECT count(*) FROM incident"), 6);
    assert_int_equal(open_now(), 6);
    assert_int_equal(db_int("SELECT sum(records) FROM incident_campaign c JOIN campaign g "
                            "ON g.id = c.campaign_id AND g.key = 'odd'"),
                     WRITERS * BATCHES * BATCH / 2);
    end(&run);
}

/* ---- who is told ---- */

static void endpoints_are_told_once_of_each_turn(void **state)
{
    struct run run = begin();

    (void)state;
    db_exec("INSERT INTO webhook (url, events, secret) VALUES ('https://x', 128, 's'), "
            "('https://y', 384, 's')");
    refuse(&run, 20, 0, &plain);
    pass(&run, ITEMS_NOON);
    pass(&run, ITEMS_NOON + MINUTE);
    pass(&run, ITEMS_NOON + 7 * ITEMS_HOUR);
    pass(&run, ITEMS_NOON + 7 * ITEMS_HOUR + MINUTE);
    assert_string_equal(
        db_text(
            "SELECT string_agg(w.url || ' ' || regexp_replace(o.event, '[0-9]+', 'N') || ' ' "
            "|| (o.body::json->>'type') || ' ' || (o.body::json->'data'->>'records'), ', ' "
            "ORDER BY w.id, o.seq) FROM webhook_outbox o JOIN webhook w ON w.id = o.webhook_id"),
        "https://x incident_N_opened incident.opened 20, "
        "https://y incident_N_opened incident.opened 20, "
        "https://y incident_N_closed incident.closed 20");
    end(&run);
}

/* Filters go by indexes however many incidents there are. */
static void no_list_reads_the_whole_table(void **state)
{
    static const struct store_incident_filter filters[] = {
        {.klass = -1, .open = -1},
        {.klass = -1, .open = 1},
        {.klass = -1, .open = -1, .provider = DSND_STR_INIT("p17")},
        {.klass = 12, .open = -1},
        {.klass = -1,
         .open = -1,
         .from = DSND_STR_INIT("2026-11-01"),
         .to = DSND_STR_INIT("2026-12-01")},
    };
    struct run run = begin();

    (void)state;
    db_exec(
        "INSERT INTO incident (key, class, provider, sender, signature, started_at, last_at, "
        "opened_at, closed_at, records, proven, status_id) SELECT n, CASE WHEN n % 1000 = 0 THEN "
        "12 ELSE 10 END, 'p' || n % 500, '', '', now(), now(), now(), CASE WHEN n % 997 > 0 THEN "
        "now() END, 1, 0, 0 FROM generate_series(1, 20000) n");
    db_exec("ANALYZE");
    db_exec("SELECT pg_stat_reset()");
    for (int i = 0; i < 12; i++)
        for (size_t f = 0; f < sizeof(filters) / sizeof(*filters); f++) {
            struct store_rows *rows = NULL;

            assert_int_equal(
                store_incident_list(run.conn, &filters[f], DSND_STR_ABSENT, 100, &rows), DSND_OK);
            assert_true(store_rows_count(rows) > 10);
            store_rows_free(rows);
        }
    store_conn_free(run.conn);
    run.conn = items_connect();
    for (int i = 0; i < 50 && db_int("SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE "
                                     "relname = 'incident'") < 60;
         i++)
        db_exec("SELECT pg_sleep(0.1); SELECT pg_stat_clear_snapshot()");
    assert_int_equal(db_int("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'incident'"),
                     0);
    /* 100 rows a list: what was read for them is near that, not the table. */
    assert_in_range(db_int("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = "
                           "'incident'"),
                    1, 60 * 200);
    store_conn_free(run.conn);
    items_free(run.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_records_are_no_incident_and_are_forgotten),
        cmocka_unit_test(records_within_a_window_open_one),
        cmocka_unit_test(thin_records_open_none_however_many),
        cmocka_unit_test(the_order_of_arrival_makes_no_difference),
        cmocka_unit_test(an_open_one_grows_closes_when_quiet_and_another_opens),
        cmocka_unit_test(old_ones_are_forgotten_with_their_records),
        cmocka_unit_test(what_differs_makes_runs_of_its_own),
        cmocka_unit_test(a_batch_that_is_given_again_counts_once),
        cmocka_unit_test(what_proves_too_little_to_be_counted_makes_none),
        cmocka_unit_test(a_class_without_a_limit_opens_none),
        cmocka_unit_test(strangers_open_none_unless_they_may),
        cmocka_unit_test(nobody_is_named),
        cmocka_unit_test(one_person_opens_none),
        cmocka_unit_test(the_records_of_one_are_found),
        cmocka_unit_test(writers_at_once_count_exactly),
        cmocka_unit_test(endpoints_are_told_once_of_each_turn),
        cmocka_unit_test(no_list_reads_the_whole_table),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
