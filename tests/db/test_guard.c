/* An outage must not empty a list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/query_guard.h"
#include "store/query_suppression.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

static const char journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

struct run {
    struct items *items;
    struct store_conn *conn;
    int next;
};

static struct run begin(const char *sql)
{
    struct run run = {.items = items_new()};

    db_fresh();
    db_exec(sql);
    run.conn = items_connect();
    return run;
}

static void end(struct run *run)
{
    items_check_totals();
    store_conn_free(run->conn);
    items_free(run->items);
}

/* Each time other people, and a text that names them. */
static void refuse_at(struct run *run, const char *campaign, int64_t us, int count,
                      const char *text)
{
    for (int i = 0; i < count; i++, run->next++) {
        char *address = dsnd_arena_alloc(&run->items->arena, 64);
        char *diagnostic = dsnd_arena_alloc(&run->items->arena, 200);

        assert_true(snprintf(address, 64, "user%d@gmail.example", run->next) > 0);
        assert_true(snprintf(diagnostic, 200, "550-5.1.1 <%s> %s id%08x", address, text,
                             (unsigned)run->next) > 0);
        items_add(run->items, &(struct item_spec){.signed_campaign = campaign,
                                                  .signed_for = address,
                                                  .recipient = address,
                                                  .action = REPORT_ACTION_FAILED,
                                                  .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                                  .permanence = REPORT_PERMANENCE_PERMANENT,
                                                  .provider = "google",
                                                  .diagnostic = diagnostic,
                                                  .us = us});
    }
    (void)items_write(run->conn, journal, run->items);
}

static void refuse(struct run *run, int count, const char *text)
{
    refuse_at(run, "spring", ITEMS_NOON, count, text);
}

static void pass_minute(struct run *run)
{
    const struct store_retention keep = {0};

    assert_int_equal(store_maintain(run->conn, &keep, ITEMS_NOON + 60 * DSND_US_PER_S), DSND_OK);
}

static int64_t held(void)
{
    return db_int("SELECT count(*) FROM suppression WHERE pending");
}

static int64_t active(void)
{
    return db_int("SELECT count(*) FROM suppression WHERE NOT pending");
}

#define SENT(n) "INSERT INTO campaign (key, sent_declared) VALUES ('spring', " n ")"

static void an_ordinary_share_is_not_held(void **state)
{
    static const char *const sent[] = {SENT("10000"), SENT("NULL"), SENT("601")};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct run run = begin(sent[i]);

        refuse(&run, 120, "no such user");
        pass_minute(&run);
        assert_int_equal(held(), 0);
        assert_int_equal(active(), 120);
        end(&run);
    }
}

static void few_failures_are_not_held_whatever_their_share(void **state)
{
    struct run run = begin(SENT("99"));

    (void)state;
    refuse(&run, 99, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 0);
    end(&run);
}

static void different_texts_do_not_add_up(void **state)
{
    struct run run = begin(SENT("400"));

    (void)state;
    refuse(&run, 70, "no such user");
    refuse(&run, 70, "mailbox not found");
    pass_minute(&run);
    assert_int_equal(held(), 0);
    end(&run);
}

static void an_abnormal_share_is_held_with_what_came_before(void **state)
{
    struct run run = begin(SENT("500"));
    struct store_rows *rows = NULL;

    (void)state;
    refuse(&run, 20, "mailbox not found");
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 120);
    assert_int_equal(active(), 20);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_change WHERE op = 2 AND "
                            "note = 'held'"),
                     120);
    /* What follows is held at once, and no mirror hears of it. */
    refuse(&run, 5, "no such user");
    assert_int_equal(held(), 125);
    assert_int_equal(db_int("SELECT max(seq) FROM suppression_change"), 260);
    assert_int_equal(store_guard_list(run.conn, DSND_STR_ABSENT, 10, &rows), DSND_OK);
    assert_int_equal(store_rows_count(rows), 1);
    assert_int_equal(store_rows_int(rows, 0, STORE_GUARD_FAILURES), 125);
    assert_int_equal(store_rows_int(rows, 0, STORE_GUARD_PENDING), 125);
    assert_int_equal(store_rows_int(rows, 0, STORE_GUARD_SENT), 500);
    assert_true(
        dsnd_str_eq(store_rows_value(rows, 0, STORE_GUARD_SIGNATURE), DSND_STR("no such user")));
    store_rows_free(rows);
    end(&run);
}

/* In one batch, one of them with the text of an outage and one, later, of a closed mailbox. */
static void add_two(struct run *run, const char *address)
{
    static const char *const texts[] = {"550-5.1.1 no such user", "550 5.1.1 mailbox not found"};

    for (int i = 0; i < 2; i++)
        items_add(run->items, &(struct item_spec){.signed_campaign = i ? "autumn" : "spring",
                                                  .signed_for = address,
                                                  .recipient = address,
                                                  .action = REPORT_ACTION_FAILED,
                                                  .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                                  .permanence = REPORT_PERMANENCE_PERMANENT,
                                                  .provider = "google",
                                                  .diagnostic = texts[i],
                                                  .us = ITEMS_NOON + i * DSND_US_PER_S});
    (void)items_write(run->conn, journal, run->items);
}

static void another_proof_of_the_same_batch_suppresses(void **state)
{
    struct run run = begin(SENT("500"));

    (void)state;
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 120);
    add_two(&run, "both@gmail.example");
    assert_int_equal(held(), 120);
    assert_int_equal(active(), 1);
    end(&run);
}

static int64_t guard_id(void)
{
    return db_int("SELECT id FROM suppression_guard WHERE held_at IS NOT NULL");
}

static void what_is_released_suppresses(void **state)
{
    struct run run = begin(SENT("500"));
    int64_t count = 0;

    (void)state;
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    assert_int_equal(store_guard_decide(run.conn, guard_id(), true, &count), DSND_OK);
    assert_int_equal(count, 120);
    assert_int_equal(active(), 120);
    refuse(&run, 5, "no such user");
    pass_minute(&run);
    assert_int_equal(active(), 125);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_change WHERE op = 1"), 245);
    assert_int_equal(store_guard_decide(run.conn, guard_id(), false, &count), DSND_ERR_NOT_FOUND);
    end(&run);
}

static void what_is_dropped_never_suppressed(void **state)
{
    struct run run = begin(SENT("500"));
    int64_t count = 0;

    (void)state;
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    assert_int_equal(store_guard_decide(run.conn, guard_id(), false, &count), DSND_OK);
    assert_int_equal(count, 120);
    refuse(&run, 5, "no such user");
    pass_minute(&run);
    assert_int_equal(held() + active(), 0);
    /* Another text of the same hour is another matter. */
    refuse(&run, 1, "mailbox not found");
    assert_int_equal(active(), 1);
    end(&run);
}

/* Of one address that was refused with many others: what else suppresses it. */
static void fail_too(struct run *run, const char *campaign, enum report_class klass,
                     const char *diagnostic, int64_t us)
{
    items_add(run->items, &(struct item_spec){.signed_campaign = campaign,
                                              .signed_for = "user0@gmail.example",
                                              .recipient = "user0@gmail.example",
                                              .action = REPORT_ACTION_FAILED,
                                              .klass = klass,
                                              .permanence = REPORT_PERMANENCE_PERMANENT,
                                              .fault = REPORT_FAULT_RECIPIENT,
                                              .provider = "google",
                                              .diagnostic = diagnostic,
                                              .us = us});
    (void)items_write(run->conn, journal, run->items);
}

static void fill_mailbox(struct run *run)
{
    static const char *const campaigns[] = {"a", "b", "c", "d", "e"};

    for (int i = 0; i < 5; i++)
        fail_too(run, campaigns[i], REPORT_CLASS_MAILBOX_FULL, "452 4.2.2 full",
                 ITEMS_NOON - i * DSND_US_PER_DAY);
}

static int64_t first_one(const char *what)
{
    char sql[256];

    assert_true(snprintf(sql, sizeof(sql),
                         "SELECT count(*) FROM suppression WHERE address = 'user0@gmail.example' "
                         "AND %s",
                         what) < (int)sizeof(sql));
    return db_int(sql);
}

/* The second one made no entry: there was one already. */
static void another_proof_outlives_what_is_held_and_dropped(void **state)
{
    struct run run = begin(SENT("500"));
    int64_t count = 0;

    (void)state;
    refuse(&run, 120, "no such user");
    fail_too(&run, "autumn", REPORT_CLASS_MAILBOX_UNKNOWN, "550 mailbox not found",
             ITEMS_NOON + ITEMS_HOUR);
    pass_minute(&run);
    assert_int_equal(held(), 119);
    assert_int_equal(first_one("NOT pending"), 1);
    assert_int_equal(store_guard_decide(run.conn, guard_id(), false, &count), DSND_OK);
    pass_minute(&run);
    assert_int_equal(held(), 0);
    assert_int_equal(first_one("NOT pending"), 1);
    assert_int_equal(active(), 1);
    end(&run);
}

static void another_proof_counts_though_the_first_was_dropped(void **state)
{
    struct run run = begin(SENT("500"));
    int64_t count = 0;

    (void)state;
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 120);
    fill_mailbox(&run);
    assert_int_equal(first_one("NOT pending AND class = 4"), 1);
    assert_int_equal(store_guard_decide(run.conn, guard_id(), false, &count), DSND_OK);
    pass_minute(&run);
    assert_int_equal(first_one("NOT pending AND class = 4"), 1);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_again"), 0);
    end(&run);
}

/* Somebody has an entry that ends by itself, and what suppresses for good is held. */
static void what_is_held_beside_another_entry_suppresses_when_it_is_released(void **state)
{
    static const struct {
        bool before; /* the entry there is, and the one that the guard holds */
        bool release;
    } rows[] = {{true, true}, {true, false}, {false, true}, {false, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct run run = begin(SENT("500"));
        int64_t count = 0;

        if (rows[i].before)
            fill_mailbox(&run);
        refuse(&run, 120, "no such user");
        pass_minute(&run);
        if (!rows[i].before)
            fill_mailbox(&run);
        pass_minute(&run);
        assert_int_equal(first_one("NOT pending AND class = 4"), 1);
        refuse(&run, 1, "no such user");
        assert_int_equal(held(), 120);
        assert_int_equal(store_guard_decide(run.conn, guard_id(), rows[i].release, &count),
                         DSND_OK);
        pass_minute(&run);
        if (first_one("NOT pending AND class = 1 AND expires_at IS NULL") != rows[i].release ||
            first_one("NOT pending AND class = 4") == rows[i].release)
            fail_msg("case %zu", i);
        assert_int_equal(db_int("SELECT count(*) FROM suppression_again"), 0);
        assert_int_equal(db_int("SELECT count(*) - max(seq) FROM suppression_change"), 0);
        end(&run);
    }
}

/* It comes when the guard holds the text already. */
static void what_is_held_from_the_beginning_waits_beside_another_entry(void **state)
{
    struct run run = begin(SENT("500"));
    int64_t count = 0;

    (void)state;
    fill_mailbox(&run);
    run.next = 1;
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 120);
    run.next = 0;
    refuse(&run, 1, "no such user");
    assert_int_equal(first_one("NOT pending AND class = 4"), 1);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_again WHERE guard_id > 0"), 1);
    pass_minute(&run);
    assert_int_equal(store_guard_decide(run.conn, guard_id(), true, &count), DSND_OK);
    pass_minute(&run);
    assert_int_equal(first_one("NOT pending AND class = 1 AND expires_at IS NULL"), 1);
    end(&run);
}

static void who_is_erased_waits_for_no_decision(void **state)
{
    struct run run = begin(SENT("500"));

    (void)state;
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    fill_mailbox(&run);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_again WHERE guard_id > 0"), 1);
    db_exec("SELECT suppression_erase(address_hash('user0@gmail.example'))");
    assert_int_equal(db_int("SELECT count(*) FROM suppression_again"), 0);
    end(&run);
}

/* Records are judged again, and old mail is stored late. */
static void what_was_dropped_is_known_as_long_as_its_records(void **state)
{
    struct run run = begin(SENT("500"));
    int64_t count = 0;

    (void)state;
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    assert_int_equal(store_guard_decide(run.conn, guard_id(), false, &count), DSND_OK);
    db_exec("UPDATE suppression_guard SET touched_at = touched_at - interval '200 days',"
            " decided_at = decided_at - interval '200 days'");
    pass_minute(&run);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_guard WHERE NOT released"), 1);
    db_exec("DELETE FROM status");
    pass_minute(&run);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_guard"), 0);
    store_conn_free(run.conn);
    items_free(run.items);
}

/* After an outage of ours, or from a log of yesterday. */
static void what_is_stored_late_is_judged_when_it_is_stored(void **state)
{
    const struct store_retention keep = {0};
    struct run run = begin(SENT("500"));
    int64_t now_us = dsnd_clock_now_us();

    (void)state;
    refuse_at(&run, "spring", now_us - 20 * ITEMS_HOUR, 120, "no such user");
    assert_int_equal(store_maintain(run.conn, &keep, now_us), DSND_OK);
    assert_int_equal(held(), 120);
    end(&run);
}

static void campaigns_add_up(void **state)
{
    struct run run = begin("INSERT INTO campaign (key, sent_declared) VALUES ('one', 200), "
                           "('two', 200), ('big', 100000), ('unknown', NULL)");

    (void)state;
    refuse_at(&run, "one", ITEMS_NOON, 60, "no such user");
    refuse_at(&run, "unknown", ITEMS_NOON, 60, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 0);
    refuse_at(&run, "two", ITEMS_NOON, 60, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 120);
    end(&run);
}

/* One campaign's share is its own, however small it is beside another's. */
static void a_large_campaign_hides_no_small_one(void **state)
{
    struct run run = begin("INSERT INTO campaign (key, sent_declared) VALUES ('spring', 300), "
                           "('big', 100000)");

    (void)state;
    refuse_at(&run, "big", ITEMS_NOON, 20, "no such user");
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 120);
    end(&run);
}

static void an_hour_begins_at_any_minute(void **state)
{
    struct run run = begin(SENT("500"));

    (void)state;
    refuse_at(&run, "spring", ITEMS_NOON + ITEMS_HOUR * 2 / 3, 60, "no such user");
    refuse_at(&run, "spring", ITEMS_NOON + ITEMS_HOUR * 4 / 3, 60, "no such user");
    refuse_at(&run, "spring", ITEMS_NOON + ITEMS_HOUR * 7 / 3, 20, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 120);
    assert_int_equal(active(), 20);
    end(&run);
}

/* What lies further apart is no outage. */
static void two_hours_are_no_hour(void **state)
{
    struct run run = begin(SENT("500"));

    (void)state;
    refuse_at(&run, "spring", ITEMS_NOON, 60, "no such user");
    refuse_at(&run, "spring", ITEMS_NOON + ITEMS_HOUR * 3 / 2, 60, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 0);
    end(&run);
}

/* A campaign that goes out over a day fails wholly for an hour. */
static void only_mail_of_that_time_is_the_share_taken_of(void **state)
{
    struct run run = begin("INSERT INTO campaign (key) VALUES ('spring')");

    (void)state;
    db_exec("INSERT INTO total_cohort (campaign_id, hour, provider, class, sent) SELECT id, "
            "TIMESTAMPTZ '2026-11-23 00:00Z' + h * interval '1 hour', 'google', 0, 120 "
            "FROM campaign, generate_series(0, 23) h WHERE key = 'spring'");
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    assert_int_equal(held(), 120);
    db_exec("DELETE FROM total_cohort WHERE sent > 0");
    end(&run);
}

/* He holds the signed path of his own mail; what names his delivery may be said as often as he
 * likes. */
static void one_person_holds_nothing(void **state)
{
    struct run run = begin(SENT("300"));

    (void)state;
    refuse(&run, 20, "no such user");
    for (int i = 0; i < 900; i++)
        items_add(run.items, &(struct item_spec){.signed_campaign = "spring",
                                                 .signed_for = "me@evil.example",
                                                 .recipient = "me@evil.example",
                                                 .action = REPORT_ACTION_FAILED,
                                                 .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                                 .permanence = REPORT_PERMANENCE_PERMANENT,
                                                 .provider = "google",
                                                 .diagnostic = "550-5.1.1 no such user"});
    (void)items_write(run.conn, journal, run.items);
    pass_minute(&run);
    assert_int_equal(held(), 0);
    assert_int_equal(active(), 21);
    end(&run);
}

static void what_is_held_is_not_lifted(void **state)
{
    const struct store_undo_filter all = {.campaign = DSND_STR("spring"), .klass = -1};
    struct run run = begin(SENT("500"));
    int64_t lifted = 0;
    int64_t told;

    (void)state;
    refuse(&run, 120, "no such user");
    refuse(&run, 1, "mailbox not found");
    pass_minute(&run);
    told = db_int("SELECT max(seq) FROM suppression_change");
    /* By a delivery, by its time, by hand, and by cause. */
    items_add(run.items, &(struct item_spec){.signed_campaign = "spring",
                                             .signed_for = "user0@gmail.example",
                                             .recipient = "user0@gmail.example",
                                             .action = REPORT_ACTION_DELIVERED,
                                             .us = ITEMS_NOON + ITEMS_HOUR});
    (void)items_write(run.conn, journal, run.items);
    db_exec("UPDATE suppression SET expires_at = now() - interval '1 minute' WHERE address = "
            "'user1@gmail.example'");
    pass_minute(&run);
    db_exec("SELECT suppression_expire(now())");
    assert_int_equal(store_suppression_lift(run.conn, DSND_STR("user2@gmail.example"),
                                            STORE_SUPPRESSION_API, DSND_STR_ABSENT),
                     DSND_OK);
    assert_int_equal(held(), 117);
    assert_int_equal(db_int("SELECT max(seq) FROM suppression_change"), told);
    assert_int_equal(store_suppression_undo_count(run.conn, &all, &lifted), DSND_OK);
    assert_int_equal(lifted, 1);
    assert_int_equal(store_suppression_undo(run.conn, &all, DSND_STR_ABSENT, &lifted), DSND_OK);
    assert_int_equal(lifted, 1);
    assert_int_equal(held() + active(), 0);
    assert_int_equal(db_int("SELECT max(seq) FROM suppression_change"), told + 1);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_aside WHERE dropped"), 120);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_aside WHERE lifted"), 118);
    end(&run);
}

/* Mirrors that heard of an entry hear of its end, whatever takes its place. */
static void what_is_over_is_told_before_what_is_held_takes_its_place(void **state)
{
    struct run run = begin(SENT("500"));

    (void)state;
    refuse(&run, 120, "no such user");
    pass_minute(&run);
    db_exec("INSERT INTO suppression (address_hash, address, class, source, expires_at) VALUES "
            "(address_hash('user120@gmail.example'), 'user120@gmail.example', 4, 1, now() - "
            "interval '1 minute')");
    refuse(&run, 1, "no such user");
    assert_int_equal(held(), 121);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_change WHERE op = 3 AND address = "
                            "'user120@gmail.example'"),
                     1);
    end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_share_is_not_held),
        cmocka_unit_test(few_failures_are_not_held_whatever_their_share),
        cmocka_unit_test(different_texts_do_not_add_up),
        cmocka_unit_test(an_abnormal_share_is_held_with_what_came_before),
        cmocka_unit_test(another_proof_of_the_same_batch_suppresses),
        cmocka_unit_test(what_is_released_suppresses),
        cmocka_unit_test(what_is_dropped_never_suppressed),
        cmocka_unit_test(another_proof_outlives_what_is_held_and_dropped),
        cmocka_unit_test(another_proof_counts_though_the_first_was_dropped),
        cmocka_unit_test(what_is_held_beside_another_entry_suppresses_when_it_is_released),
        cmocka_unit_test(what_is_held_from_the_beginning_waits_beside_another_entry),
        cmocka_unit_test(who_is_erased_waits_for_no_decision),
        cmocka_unit_test(what_was_dropped_is_known_as_long_as_its_records),
        cmocka_unit_test(what_is_stored_late_is_judged_when_it_is_stored),
        cmocka_unit_test(campaigns_add_up),
        cmocka_unit_test(a_large_campaign_hides_no_small_one),
        cmocka_unit_test(an_hour_begins_at_any_minute),
        cmocka_unit_test(two_hours_are_no_hour),
        cmocka_unit_test(only_mail_of_that_time_is_the_share_taken_of),
        cmocka_unit_test(one_person_holds_nothing),
        cmocka_unit_test(what_is_held_is_not_lifted),
        cmocka_unit_test(what_is_over_is_told_before_what_is_held_takes_its_place),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
