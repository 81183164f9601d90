/* The batch writer: each record once, whatever happens. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/pg.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

static const char journal_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char journal_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static void add_failure(struct items *items, int n)
{
    char *address = dsnd_arena_alloc(&items->arena, 64);

    assert_true(snprintf(address, 64, "user%d@example.net", n) > 0);
    items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                         .signed_for = address,
                                         .recipient = address,
                                         .action = REPORT_ACTION_FAILED,
                                         .klass = REPORT_CLASS_MAILBOX_FULL,
                                         .permanence = REPORT_PERMANENCE_PERMANENT,
                                         .provider = "google"});
}

static void a_batch_becomes_rows_and_moves_the_journal(void **state)
{
    struct items *items = items_new();
    struct store_journal_position position;
    struct store_batch_result result;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    for (int i = 0; i < 300; i++)
        add_failure(items, i);
    assert_int_equal(store_position_get(conn, journal_a, &position), DSND_OK);
    assert_int_equal(position.sequence, 0);
    result = items_write(conn, journal_a, items);
    assert_int_equal(result.reports, 300);
    assert_int_equal(result.statuses, 300);
    assert_int_equal(result.duplicates + result.quarantined, 0);
    assert_int_equal(store_position_get(conn, journal_a, &position), DSND_OK);
    assert_int_equal(position.sequence, 300);
    assert_int_equal(position.segment, 1);
    assert_int_equal(position.offset, 30000);
    assert_int_equal(db_int("SELECT count(*) FROM report"), 300);
    assert_int_equal(db_int("SELECT count(*) FROM report_raw"), 300);
    assert_int_equal(db_int("SELECT count(*) FROM status JOIN report r ON r.id = report_id"), 300);
    assert_int_equal(db_int("SELECT count(*) FROM delivery WHERE state = 4"), 300);
    assert_int_equal(db_int("SELECT hits FROM rule_hit"), 300);
    assert_int_equal(db_int("SELECT failed FROM total_campaign WHERE soft = 300"), 300);
    assert_int_equal(db_int("SELECT reports FROM journal_position"), 300);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

static void the_same_batch_again_changes_nothing(void **state)
{
    struct items *items = items_new();
    struct store_batch_result result;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    for (int i = 0; i < 10; i++)
        add_failure(items, i);
    (void)items_write(conn, journal_a, items);
    result = items_write(conn, journal_a, items);
    assert_int_equal(result.reports + result.statuses + result.duplicates, 0);
    /* More of the same journal, the front of it stored already. */
    for (int i = 10; i < 15; i++)
        add_failure(items, i);
    result = items_write(conn, journal_a, items);
    assert_int_equal(result.reports, 5);
    assert_int_equal(db_int("SELECT count(*) FROM report"), 15);
    assert_int_equal(db_int("SELECT sum(reports) FROM journal_position"), 15);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

static void a_journal_that_another_pipeline_moved_is_a_conflict(void **state)
{
    struct items *items = items_new();
    struct store_batch_result result;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    for (int i = 0; i < 10; i++)
        add_failure(items, i);
    (void)items_write(conn, journal_a, items);
    assert_int_equal(items_try(conn, journal_a, items->item, 5, &result), DSND_ERR_CONFLICT);
    assert_int_equal(db_int("SELECT sequence FROM journal_position"), 10);
    store_conn_free(conn);
    items_free(items);
}

static void a_report_received_twice_changes_no_count(void **state)
{
    struct items *items = items_new();
    struct store_batch_result result;
    struct store_conn *conn;
    const struct item_spec spec = {.signed_campaign = "spring",
                                   .signed_for = "a@b.example",
                                   .recipient = "a@b.example",
                                   .action = REPORT_ACTION_DELAYED,
                                   .body = 7};

    (void)state;
    db_fresh();
    conn = items_connect();
    items_add(items, &spec); /* the trace fields of the three differ */
    items_add(items, &spec);
    result = items_write(conn, journal_a, items);
    assert_int_equal(result.reports, 1);
    assert_int_equal(result.duplicates, 1);
    items->next_sequence = 1;
    items->count = 0;
    items_add(items, &spec);
    result = items_write(conn, journal_b, items);
    assert_int_equal(result.duplicates, 1);
    assert_int_equal(db_int("SELECT count(*) FROM status"), 1);
    assert_int_equal(db_int("SELECT sum(duplicates) FROM journal_position"), 2);
    /* The same octets for somebody else are another report. */
    items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                         .signed_for = "c@d.example",
                                         .recipient = "c@d.example",
                                         .action = REPORT_ACTION_DELAYED,
                                         .body = 7});
    result = items_write(conn, journal_b, items);
    assert_int_equal(result.reports, 1);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

/* ---- order ---- */

static uint64_t random_state = 88172645463325252u;

static uint32_t next_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state % below);
}

static void add_random(struct items *items, int i)
{
    static const char *const people[] = {"a@x.example", "b@x.example", "c@x.example", "d@x.example",
                                         "e@x.example"};
    static const char *const campaigns[] = {"one", "two"};
    static const char *const providers[] = {"google", "yahoo", NULL};
    const char *person = people[next_random(5)];
    bool complaint = next_random(8) == 0;

    items_add(items,
              &(struct item_spec){
                  .signed_campaign = next_random(5) ? campaigns[next_random(2)] : NULL,
                  .signed_for = person,
                  .recipient = person,
                  .kind = complaint ? REPORT_KIND_ARF : REPORT_KIND_DSN,
                  .feedback = complaint ? REPORT_FEEDBACK_ABUSE : REPORT_FEEDBACK_NONE,
                  .action = complaint ? REPORT_ACTION_NONE : (enum report_action)next_random(6),
                  .klass = complaint ? REPORT_CLASS_COMPLAINT
                                     : (enum report_class)next_random(REPORT_CLASS_COUNT),
                  .permanence = (enum report_permanence)next_random(3),
                  .provider = providers[next_random(3)],
                  .us = ITEMS_NOON + ITEMS_HOUR * (int64_t)next_random(30),
                  .body = i + 1,
              });
}

static void shuffle(struct items *items)
{
    for (size_t i = items->count; i-- > 1;) {
        size_t j = next_random((uint32_t)i + 1);
        struct store_item swap = items->item[i];

        items->item[i] = items->item[j];
        items->item[j] = swap;
    }
    for (size_t i = 0; i < items->count; i++)
        items->item[i].sequence = i + 1;
}

static void write_in_pieces(struct store_conn *conn, const struct items *items)
{
    for (size_t at = 0; at < items->count;) {
        size_t n = 1 + next_random(40);
        struct store_batch_result result;

        if (n > items->count - at)
            n = items->count - at;
        assert_int_equal(items_try(conn, journal_a, items->item + at, n, &result), DSND_OK);
        at += n;
    }
}

static const char state_digest[] =
    "SELECT md5((SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM (SELECT c.key, d.ref, "
    "d.state, d.class, d.kind, d.provider, d.outcome_at, d.delayed_at, d.delayed_class, "
    "d.delayed_provider, d.complained_at, d.complained_provider, d.sent_at FROM delivery d "
    "JOIN campaign c ON c.id = d.campaign_id) x) || "
    "(SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM (SELECT c.key, t.hour, t.provider, "
    "t.class, failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained, "
    "statuses, proven FROM total_hour t JOIN campaign c ON c.id = t.campaign_id "
    "WHERE (failed, delivered, handed_off, delay_open, delayed, complained, statuses) "
    "<> (0, 0, 0, 0, 0, 0, 0)) x))";

static void counts_never_depend_on_the_order_of_arrival(void **state)
{
    struct items *items = items_new();
    char first[64] = "";

    (void)state;
    db_fresh();
    for (int i = 0; i < 120; i++)
        add_random(items, i);
    for (int run = 0; run < 12; run++) {
        struct store_conn *conn = items_connect();

        db_exec("TRUNCATE delivery, report, report_raw, status, report_seen, rule_hit, "
                "total_campaign, total_breakdown, total_hour, total_hour_all, total_cohort, "
                "total_roll, total_delay, total_delay_slot, journal_position, suppression");
        shuffle(items);
        write_in_pieces(conn, items);
        items_check_totals();
        if (run == 0)
            assert_int_equal(dsnd_str_copy(dsnd_str_of(db_text(state_digest)), first, 64), DSND_OK);
        assert_string_equal(db_text(state_digest), first);
        store_conn_free(conn);
    }
    items_free(items);
}

/* ---- several at once ---- */

struct writer {
    const char *journal;
    struct items *items;
    unsigned failures;
};

static void *write_many(void *context)
{
    struct writer *self = context;
    struct store_conn *conn = items_connect();

    for (size_t at = 0; at < self->items->count; at += 50) {
        size_t n = self->items->count - at < 50 ? self->items->count - at : 50;
        struct store_batch_result result;

        while (items_try(conn, self->journal, self->items->item + at, n, &result))
            self->failures++;
    }
    store_conn_free(conn);
    return NULL;
}

static void two_writers_on_the_same_deliveries_never_deadlock(void **state)
{
    struct writer writers[2] = {{journal_a, items_new(), 0}, {journal_b, items_new(), 0}};
    pthread_t threads[2];

    (void)state;
    db_fresh();
    for (int w = 0; w < 2; w++)
        for (int i = 0; i < 1000; i++)
            add_random(writers[w].items, 5000 * w + i);
    shuffle(writers[1].items);
    for (int w = 0; w < 2; w++)
        assert_int_equal(pthread_create(&threads[w], NULL, write_many, &writers[w]), 0);
    for (int w = 0; w < 2; w++)
        assert_int_equal(pthread_join(threads[w], NULL), 0);
    assert_int_equal(writers[0].failures + writers[1].failures, 0);
    assert_int_equal(db_int("SELECT count(*) FROM report"), 2000);
    assert_int_equal(db_int("SELECT deadlocks FROM pg_stat_database WHERE datname = "
                            "current_database()"),
                     0);
    items_check_totals();
    items_free(writers[0].items);
    items_free(writers[1].items);
}

static atomic_bool stop_killing;
static atomic_size_t progress;

static void *kill_writers(void *context)
{
    struct store_conn *conn = NULL;
    unsigned patience = 1; /* grows until something was stored, or a busy machine would never */
    size_t seen = 0;

    (void)context;
    if (store_connect(db_url(), "killer", &conn))
        return NULL;
    while (!stop_killing) {
        (void)usleep(patience * (40000 + next_random(8) * 20000));
        patience = progress != seen ? 1 : patience < 64 ? patience * 2 : patience;
        seen = progress;
        if (pg_run_text(conn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                              "WHERE application_name = 'writer'"))
            break;
    }
    store_conn_free(conn);
    return NULL;
}

static void connections_killed_in_the_middle_lose_and_repeat_nothing(void **state)
{
    struct items *items = items_new();
    struct store_conn *conn = NULL;
    struct store_journal_position position = {0};
    pthread_t killer;
    unsigned lost = 0;

    (void)state;
    db_fresh();
    for (int i = 0; i < 3000; i++)
        add_random(items, i);
    stop_killing = false;
    assert_int_equal(pthread_create(&killer, NULL, kill_writers, NULL), 0);
    while (position.sequence < items->count) {
        struct store_batch_result result;
        size_t at = position.sequence;
        size_t n = items->count - at < 20 ? items->count - at : 20;

        if (!conn && store_connect(db_url(), "writer", &conn)) {
            store_conn_free(conn);
            conn = NULL;
            continue;
        }
        if (items_try(conn, journal_a, items->item + at, n, &result) ||
            store_position_get(conn, journal_a, &position)) {
            lost++;
            store_conn_free(conn);
            conn = NULL;
        }
        progress = position.sequence;
        assert_true(lost < 10000);
    }
    stop_killing = true;
    assert_int_equal(pthread_join(killer, NULL), 0);
    assert_true(lost > 0);
    assert_int_equal(db_int("SELECT count(*) FROM report"), 3000);
    assert_int_equal(db_int("SELECT count(DISTINCT sequence) FROM report"), 3000);
    assert_int_equal(db_int("SELECT reports FROM journal_position"), 3000);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

/* ---- refusals ---- */

static void a_row_that_postgresql_refuses_is_set_aside_alone(void **state)
{
    struct items *items = items_new();
    struct store_batch_result result;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    db_exec("SELECT partition_ensure('2026-11-23', '2026-11-23')"); /* or it lacks the constraint */
    db_exec("ALTER TABLE report ADD CONSTRAINT no_poison CHECK (subject <> 'poison')");
    conn = items_connect();
    for (int i = 0; i < 100; i++) {
        items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                             .signed_for = "a@b.example",
                                             .recipient = "a@b.example",
                                             .action = REPORT_ACTION_DELAYED,
                                             .subject = i % 37 == 5 ? "poison" : "fine"});
    }
    result = items_write(conn, journal_a, items);
    assert_int_equal(result.quarantined, 3);
    assert_int_equal(result.reports, 97);
    assert_int_equal(db_int("SELECT count(*) FROM report"), 97);
    assert_int_equal(db_int("SELECT count(*) FROM quarantine WHERE reason = 3 AND octets > 50 "
                            "AND error LIKE '%23514%no_poison%'"),
                     3);
    assert_string_equal(db_text("SELECT string_agg(sequence::text, ' ' ORDER BY sequence) "
                                "FROM quarantine"),
                        "6 43 80");
    assert_int_equal(db_int("SELECT sequence FROM journal_position WHERE reports = 97 "
                            "AND quarantined = 3 AND position_octets = 10000"),
                     100);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

static void what_killed_the_parser_is_kept_with_its_octets(void **state)
{
    struct items *items = items_new();
    struct store_batch_result result;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    add_failure(items, 1);
    add_failure(items, 2);
    items->item[1].report = NULL;
    items->item[1].quarantine = STORE_QUARANTINE_PARSER_DIED;
    result = items_write(conn, journal_a, items);
    assert_int_equal(result.quarantined, 1);
    assert_int_equal(result.reports, 1);
    assert_int_equal(db_int("SELECT reason FROM quarantine WHERE error IS NULL"), 1);
    assert_int_equal(db_int("SELECT octets FROM quarantine"), (int64_t)items->item[1].octets.len);
    store_conn_free(conn);
    items_free(items);
}

static void foreign_octets_are_made_storable(void **state)
{
    struct items *items = items_new();
    struct store_conn *conn;
    struct report *report;
    char *longest;

    (void)state;
    db_fresh();
    conn = items_connect();
    add_failure(items, 1);
    longest = dsnd_arena_alloc(&items->arena, 9000);
    memset(longest, 'x', 9000);
    report = (struct report *)(uintptr_t)items->item[0].report; /* made by items_add */
    report->subject = DSND_STR("a\0b\xff\xc3(\x1b[31m\x7f\xc2\x9b\xc3\xa4");
    report->recipients[0].diagnostic = dsnd_str_make(longest, 9000);
    report->recipients[0].final_recipient = dsnd_str_make(longest, 9000);
    (void)items_write(conn, journal_a, items);
    assert_string_equal(db_text("SELECT subject FROM report"),
                        "a\xEF\xBF\xBD"
                        "b\xEF\xBF\xBD\xEF\xBF\xBD(\\x1b[31m\\x7f\\x9b\xc3\xa4");
    assert_int_equal(db_int("SELECT octet_length(diagnostic) FROM status"), 4096);
    assert_int_equal(db_int("SELECT octet_length(final_recipient) FROM status"), 1024);
    store_conn_free(conn);
    items_free(items);
}

static void what_rfc_3461_adds_to_the_envelope_is_kept(void **state)
{
    const struct dsnd_str given[] = {DSND_STR("RET=HDRS"),
                                     DSND_STR("NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.example")};
    struct items *items = items_new();
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    add_failure(items, 1);
    add_failure(items, 2);
    items->item[0].envelope_parameters = given;
    (void)items_write(conn, journal_a, items);
    assert_string_equal(db_text("SELECT array_to_string(envelope_parameters, ' | ') FROM report"
                                " ORDER BY sequence LIMIT 1"),
                        "RET=HDRS | NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.example");
    assert_int_equal(db_int("SELECT count(*) FROM report WHERE envelope_parameters IS NULL"), 1);
    store_conn_free(conn);
    items_free(items);
}

static void a_schema_that_became_newer_is_not_written_to(void **state)
{
    struct items *items = items_new();
    struct store_batch_result result;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    add_failure(items, 1);
    (void)items_write(conn, journal_a, items);
    db_exec("INSERT INTO schema_migration (version, name, sha256, program) "
            "VALUES (999, 'x', 'y', 'z')");
    add_failure(items, 2);
    assert_int_equal(items_try(conn, journal_a, items->item, 2, &result), DSND_ERR_VERSION);
    assert_non_null(strstr(store_conn_error(conn), "999"));
    assert_int_equal(db_int("SELECT count(*) FROM report"), 1);
    store_conn_free(conn);
    items_free(items);
}

static void records_of_any_day_find_a_partition(void **state)
{
    static const int64_t times[] = {-5, 0, ITEMS_NOON - 400 * DSND_US_PER_DAY,
                                    ITEMS_NOON + 4000 * DSND_US_PER_DAY, INT64_C(4000000000000000)};
    struct items *items = items_new();
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
        items_add(items, &(struct item_spec){.recipient = "a@b.example", .us = times[i]});
    assert_int_equal(items_write(conn, journal_a, items).reports, 5);
    assert_int_equal(db_int("SELECT count(*) FROM status"), 5);
    /* A partition that retention dropped is made again. */
    db_exec("SELECT partition_drop('status', '2025-12-01')");
    items_add(items, &(struct item_spec){.recipient = "a@b.example", .us = times[2]});
    assert_int_equal(items_try(conn, journal_a, items->item, 6, &(struct store_batch_result){0}),
                     DSND_OK);
    store_conn_free(conn);
    items_free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_becomes_rows_and_moves_the_journal),
        cmocka_unit_test(the_same_batch_again_changes_nothing),
        cmocka_unit_test(a_journal_that_another_pipeline_moved_is_a_conflict),
        cmocka_unit_test(a_report_received_twice_changes_no_count),
        cmocka_unit_test(counts_never_depend_on_the_order_of_arrival),
        cmocka_unit_test(two_writers_on_the_same_deliveries_never_deadlock),
        cmocka_unit_test(connections_killed_in_the_middle_lose_and_repeat_nothing),
        cmocka_unit_test(a_row_that_postgresql_refuses_is_set_aside_alone),
        cmocka_unit_test(what_killed_the_parser_is_kept_with_its_octets),
        cmocka_unit_test(foreign_octets_are_made_storable),
        cmocka_unit_test(what_rfc_3461_adds_to_the_envelope_is_kept),
        cmocka_unit_test(a_schema_that_became_newer_is_not_written_to),
        cmocka_unit_test(records_of_any_day_find_a_partition),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
