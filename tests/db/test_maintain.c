/* What happens as time passes: partitions, retention, delays that nobody closes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/query_service.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

static const char journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

static const struct store_retention keep = {
    .raw_us = 30 * DSND_US_PER_DAY,
    .status_us = 400 * DSND_US_PER_DAY,
    .delay_horizon_us = 5 * DSND_US_PER_DAY,
    .duplicate_window_us = 7 * DSND_US_PER_DAY,
};

static void receive(struct items *items, enum report_action action, const char *who, int64_t us)
{
    items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                         .signed_for = who,
                                         .recipient = who,
                                         .action = action,
                                         .klass = REPORT_CLASS_THROTTLED,
                                         .us = us});
}

static void partitions_are_made_ahead_of_time(void **state)
{
    struct store_service service = {0};
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    assert_int_equal(store_service_get(conn, &service), DSND_OK);
    assert_int_equal(service.days_ahead, 7);
    store_conn_free(conn);
}

static void partitions_that_are_missing_are_seen_and_made(void **state)
{
    struct store_service service = {0};
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    db_exec("DO $$ BEGIN EXECUTE format('DROP TABLE rule_hit_%s', "
            "to_char((now() AT TIME ZONE 'UTC')::date + 7, 'YYYYMMDD')); END $$");
    assert_int_equal(store_service_get(conn, &service), DSND_OK);
    assert_int_equal(service.days_ahead, 6);
    assert_int_equal(store_maintain(conn, &keep, dsnd_clock_now_us()), DSND_OK);
    assert_int_equal(store_service_get(conn, &service), DSND_OK);
    assert_int_equal(service.days_ahead, 7);
    store_conn_free(conn);
}

static void each_kind_is_kept_for_its_own_time(void **state)
{
    struct items *items = items_new();
    struct store_conn *conn;
    int64_t now = dsnd_clock_now_us();

    (void)state;
    db_fresh();
    conn = items_connect();
    receive(items, REPORT_ACTION_FAILED, "a@x.example", now - 410 * DSND_US_PER_DAY);
    receive(items, REPORT_ACTION_FAILED, "b@x.example", now - 40 * DSND_US_PER_DAY);
    receive(items, REPORT_ACTION_FAILED, "c@x.example", now);
    (void)items_write(conn, journal, items);
    assert_int_equal(store_maintain(conn, &keep, now), DSND_OK);
    assert_int_equal(db_int("SELECT count(*) FROM report_raw"), 1);
    assert_int_equal(db_int("SELECT count(*) FROM report"), 2);
    assert_int_equal(db_int("SELECT count(*) FROM status"), 2);
    /* Totals stay, and so do the deliveries that explain them. */
    assert_int_equal(db_int("SELECT failed FROM total_campaign"), 3);
    assert_int_equal(db_int("SELECT count(*) FROM delivery"), 3);
    store_conn_free(conn);
    items_free(items);
}

static void a_reader_in_the_way_delays_a_drop_and_fails_nothing(void **state)
{
    struct items *items = items_new();
    struct store_conn *conn;
    int64_t now = dsnd_clock_now_us();

    (void)state;
    db_fresh();
    conn = items_connect();
    receive(items, REPORT_ACTION_FAILED, "a@x.example", now - 40 * DSND_US_PER_DAY);
    (void)items_write(conn, journal, items);
    db_exec("BEGIN; SELECT count(*) FROM report_raw");
    assert_int_equal(store_maintain(conn, &keep, now), DSND_OK);
    db_exec("COMMIT");
    assert_int_equal(db_int("SELECT count(*) FROM report_raw"), 1);
    assert_int_equal(store_maintain(conn, &keep, now), DSND_OK);
    assert_int_equal(db_int("SELECT count(*) FROM report_raw"), 0);
    store_conn_free(conn);
    items_free(items);
}

static void an_open_delay_ends_at_the_horizon_and_stays_counted_as_delayed(void **state)
{
    struct items *items = items_new();
    struct store_conn *conn;
    int64_t now = dsnd_clock_now_us();

    (void)state;
    db_fresh();
    conn = items_connect();
    receive(items, REPORT_ACTION_DELAYED, "old@x.example", now - 6 * DSND_US_PER_DAY);
    receive(items, REPORT_ACTION_DELAYED, "new@x.example", now - 4 * DSND_US_PER_DAY);
    (void)items_write(conn, journal, items);
    assert_int_equal(db_int("SELECT delay_open FROM total_campaign"), 2);
    assert_int_equal(store_maintain(conn, &keep, now), DSND_OK);
    assert_int_equal(db_int("SELECT delay_open FROM total_campaign WHERE delayed = 2"), 1);
    items_check_totals();
    /* With its delays the quarter of an hour is over, and forgotten by the next pass. */
    assert_int_equal(store_maintain(conn, &keep, now), DSND_OK);
    assert_int_equal(db_int("SELECT count(*) FROM total_delay_slot"), 1);
    items_check_totals();
    /* A failure reported after all still counts, once. */
    receive(items, REPORT_ACTION_FAILED, "old@x.example", now);
    (void)items_write(conn, journal, items);
    assert_int_equal(db_int("SELECT failed FROM total_campaign WHERE delay_open = 1"), 1);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

static void journals_and_what_was_set_aside_can_be_listed(void **state)
{
    struct items *items = items_new();
    struct store_service service = {0};
    struct store_rows *rows = NULL;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    receive(items, REPORT_ACTION_FAILED, "a@x.example", 0);
    receive(items, REPORT_ACTION_FAILED, "b@x.example", 0);
    items->item[1].report = NULL;
    items->item[1].quarantine = STORE_QUARANTINE_PARSER_DIED;
    (void)items_write(conn, journal, items);
    assert_int_equal(store_journal_list(conn, 10, &rows), DSND_OK);
    assert_int_equal(store_rows_count(rows), 1);
    assert_int_equal(store_rows_int(rows, 0, STORE_JOURNAL_SEQUENCE), 2);
    assert_int_equal(store_rows_int(rows, 0, STORE_JOURNAL_QUARANTINED), 1);
    assert_in_range(store_rows_int(rows, 0, STORE_JOURNAL_IDLE_S), 0, 60);
    store_rows_free(rows);
    assert_int_equal(store_service_get(conn, &service), DSND_OK);
    assert_int_equal(service.quarantined_waiting, 1);
    store_conn_free(conn);
    items_free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_made_ahead_of_time),
        cmocka_unit_test(partitions_that_are_missing_are_seen_and_made),
        cmocka_unit_test(each_kind_is_kept_for_its_own_time),
        cmocka_unit_test(a_reader_in_the_way_delays_a_drop_and_fails_nothing),
        cmocka_unit_test(an_open_delay_ends_at_the_horizon_and_stays_counted_as_delayed),
        cmocka_unit_test(journals_and_what_was_set_aside_can_be_listed),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
