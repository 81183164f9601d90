/* Who is suppressed, by which proof, for how long, and what those who mirror the list see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/codes.h"
#include "store/pg.h"
#include "store/query_suppression.h"
#include "tests/support/db.h"
#include "tests/support/items.h"
#include "tests/support/suppress.h"

/* ---- what proves an address ---- */

struct proof_case {
    const char *what;
    struct item_spec spec;
    bool a_is_suppressed;
    int64_t entries;
};

static const struct proof_case proof_cases[] = {
    {"signed for the address",
     {.signed_campaign = "c", .signed_for = "a@b.example", .recipient = "A@B.example"},
     true,
     1},
    {"unsigned", {.recipient = "a@b.example"}, false, 0},
    {"signed for somebody else, who is not named",
     {.signed_campaign = "c", .signed_for = "me@evil.example", .recipient = "a@b.example"},
     false,
     0},
    {"signed for somebody else, forwarded to the named one",
     {.signed_campaign = "c",
      .signed_for = "a@b.example",
      .recipient = "other@forward.example",
      .returned_to = "a@b.example"},
     true,
     1},
    {"signed with an own id that nobody registered",
     {.signed_campaign = "c", .signed_ref = "u-4711", .recipient = "a@b.example"},
     false,
     1},
    {"with the return path of another's report in its text",
     {.recipient = "a@b.example",
      .returned_path = "r1.c.habcdefghijklm.aaakabcdefghijklmnop@b.example.com"},
     false,
     0},
    {"with a Message-ID registered for the address",
     {.recipient = "a@b.example", .returned_id = "only@sender.example"},
     true,
     1},
    {"with a Message-ID registered for another",
     {.recipient = "a@b.example", .returned_id = "other@sender.example"},
     false,
     0},
    {"with a Message-ID of two",
     {.recipient = "a@b.example", .returned_id = "both@sender.example"},
     false,
     0},
};

static void only_a_proven_address_is_suppressed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(proof_cases) / sizeof(*proof_cases); i++) {
        const struct proof_case *c = &proof_cases[i];
        struct item_spec spec = c->spec;
        struct suppress run = suppress_begin();

        db_exec("INSERT INTO campaign (key) VALUES ('c'); INSERT INTO send (campaign_id, ref, "
                "recipient, message_id, sent_at) SELECT id, r, a, m, now() FROM campaign, (VALUES "
                "('1', 'a@b.example', 'only@sender.example'), "
                "('2', 'x@b.example', 'other@sender.example'), "
                "('3', 'a@b.example', 'both@sender.example'), "
                "('4', 'x@b.example', 'both@sender.example')) v(r, a, m) WHERE key = 'c'");
        spec.action = REPORT_ACTION_FAILED;
        spec.klass = REPORT_CLASS_MAILBOX_UNKNOWN;
        spec.permanence = REPORT_PERMANENCE_PERMANENT;
        suppress_receive(&run, spec);
        if (suppress_is_on(&run, "a@b.example") != c->a_is_suppressed ||
            db_int("SELECT count(*) FROM suppression") != c->entries)
            fail_msg("%s", c->what);
        assert_false(suppress_is_on(&run, "other@forward.example"));
        assert_false(suppress_is_on(&run, "me@evil.example"));
        suppress_end(&run);
    }
}

/* ---- which class, how often ---- */

struct count_case {
    enum report_class klass;
    int days[6]; /* of the failures, each another campaign; -1 ends */
    bool suppressed;
};

static const struct count_case count_cases[] = {
    {REPORT_CLASS_MAILBOX_UNKNOWN, {0, -1}, true},
    {REPORT_CLASS_MAILBOX_INACTIVE, {0, -1}, false},
    {REPORT_CLASS_MAILBOX_INACTIVE, {0, 14, -1}, true},
    {REPORT_CLASS_MAILBOX_INACTIVE, {14, 0, -1}, true}, /* the older report arrives later */
    {REPORT_CLASS_MAILBOX_INACTIVE, {0, 15, -1}, false},
    {REPORT_CLASS_MAILBOX_INACTIVE, {0, 15, 29, -1}, true},
    {REPORT_CLASS_DOMAIN_INVALID, {0, 0, 0, -1}, false}, /* two days are needed */
    {REPORT_CLASS_DOMAIN_INVALID, {0, 0, 1, -1}, true},
    {REPORT_CLASS_MAILBOX_FULL, {0, 7, 14, 21, -1}, false},
    {REPORT_CLASS_MAILBOX_FULL, {0, 7, 14, 21, 28, -1}, true},
    {REPORT_CLASS_MAILBOX_FULL, {0, 7, 14, 21, 40, -1}, false},
    {REPORT_CLASS_POLICY_REFUSED, {0, 1, -1}, false},
    {REPORT_CLASS_POLICY_REFUSED, {0, 1, 60, -1}, true},
    {REPORT_CLASS_REPUTATION_BLOCK, {0, 1, 2, 3, 4, 5}, false},
    {REPORT_CLASS_AUTH_FAILURE, {0, 1, 2, 3, 4, 5}, false},
    {REPORT_CLASS_CONTENT_BLOCK, {0, 1, 2, 3, 4, 5}, false},
    {REPORT_CLASS_MESSAGE_TOO_LARGE, {0, 1, 2, 3, 4, 5}, false},
    {REPORT_CLASS_THROTTLED, {0, 1, 2, 3, 4, 5}, false},
    {REPORT_CLASS_UNCLASSIFIED, {0, 1, 2, 3, 4, 5}, false},
};

/* Of expiries with this cause. */
static const struct count_case expiry_cases[] = {
    {REPORT_CLASS_NONE, {0, 1, 2, 3, 4, 5}, false},
    {REPORT_CLASS_MAILBOX_FULL, {0, 7, 14, 21, -1}, false},
    {REPORT_CLASS_MAILBOX_FULL, {0, 7, 14, 21, 28, -1}, true},
    {REPORT_CLASS_MAILBOX_UNKNOWN, {0, -1}, true},
    {REPORT_CLASS_DOMAIN_INVALID, {0, 0, 0, -1}, false},
    {REPORT_CLASS_DOMAIN_INVALID, {0, 0, 1, -1}, true},
    {REPORT_CLASS_NETWORK, {0, 1, 2, 3, 4, 5}, false},
    {REPORT_CLASS_THROTTLED, {0, 1, 2, 3, 4, 5}, false},
    {REPORT_CLASS_REPUTATION_BLOCK, {0, 1, 2, 3, 4, 5}, false},
};

static void receive_spec_days(struct suppress *run, const int *days, struct item_spec spec)
{
    static const char *const campaigns[] = {"c0", "c1", "c2", "c3", "c4", "c5"};
    int64_t today = dsnd_clock_now_us() / DSND_US_PER_DAY * DSND_US_PER_DAY;

    for (size_t i = 0; i < 6 && days[i] >= 0; i++) {
        spec.signed_campaign = campaigns[i];
        spec.us = today + ITEMS_HOUR * 10 + days[i] * DSND_US_PER_DAY;
        suppress_receive(run, spec);
    }
}

static void receive_days_of(struct suppress *run, const struct count_case *c,
                            enum report_fault fault)
{
    struct item_spec spec = suppress_failure(NULL, c->klass);

    spec.fault = fault;
    receive_spec_days(run, c->days, spec);
}

/* The queue's life ended, and the last reply was a passing one. */
static void receive_expiries(struct suppress *run, const struct count_case *c,
                             enum report_fault fault)
{
    struct item_spec spec = suppress_failure(NULL, REPORT_CLASS_EXPIRED);

    spec.cause = c->klass;
    spec.permanence = REPORT_PERMANENCE_TRANSIENT;
    spec.fault = fault;
    receive_spec_days(run, c->days, spec);
}

static void receive_days(struct suppress *run, const struct count_case *c)
{
    receive_days_of(run, c, REPORT_FAULT_RECIPIENT);
}

/* As a provider does to all of its users for a bad week of one address of ours. */
static void who_is_refused_for_the_senders_fault_is_not_suppressed(void **state)
{
    static const struct count_case refused = {
        REPORT_CLASS_POLICY_REFUSED, {0, 1, 2, 3, 4, 5}, false};
    static const enum report_fault faults[] = {REPORT_FAULT_NONE, REPORT_FAULT_MESSAGE,
                                               REPORT_FAULT_SENDER, REPORT_FAULT_NETWORK};

    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        struct suppress run = suppress_begin();

        receive_days_of(&run, &refused, faults[i]);
        assert_false(suppress_is_on(&run, "a@b.example"));
        assert_int_equal(db_int("SELECT count(*) FROM suppression_strike"), 0);
        suppress_end(&run);
    }
}

/* Whatever the policy of its class says: a rule, or the cause of an expiry, may tell whose it is.
 */
static void the_senders_fault_suppresses_under_no_policy(void **state)
{
    static const enum report_class classes[] = {REPORT_CLASS_MAILBOX_UNKNOWN, REPORT_CLASS_EXPIRED,
                                                REPORT_CLASS_PROTOCOL, REPORT_CLASS_THROTTLED,
                                                REPORT_CLASS_UNCLASSIFIED};

    (void)state;
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
        struct count_case once = {classes[i], {0, -1}, false};
        struct suppress run = suppress_begin();

        db_exec("UPDATE suppression_policy SET threshold = 1, distinct_days = 1 WHERE class NOT IN "
                "(10, 11, 12, 16)");
        receive_days_of(&run, &once, REPORT_FAULT_SENDER);
        assert_false(suppress_is_on(&run, "a@b.example"));
        once.days[0] = 1;
        receive_days_of(&run, &once, REPORT_FAULT_RECIPIENT);
        assert_true(suppress_is_on(&run, "a@b.example"));
        suppress_end(&run);
    }
}

static void each_class_suppresses_after_its_own_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(count_cases) / sizeof(*count_cases); i++) {
        struct suppress run = suppress_begin();

        receive_days(&run, &count_cases[i]);
        if (suppress_is_on(&run, "a@b.example") != count_cases[i].suppressed)
            fail_msg("case %zu", i);
        suppress_end(&run);
    }
}

static void a_passing_failure_never_suppresses(void **state)
{
    struct suppress run = suppress_begin();
    struct item_spec spec = suppress_failure("c", REPORT_CLASS_MAILBOX_UNKNOWN);

    (void)state;
    spec.permanence = REPORT_PERMANENCE_TRANSIENT;
    suppress_receive(&run, spec);
    spec.permanence = REPORT_PERMANENCE_PERMANENT;
    spec.action = REPORT_ACTION_DELAYED;
    suppress_receive(&run, spec);
    assert_false(suppress_is_on(&run, "a@b.example"));
    suppress_end(&run);
}

static void one_delivery_counts_once_however_many_reports_tell_of_it(void **state)
{
    struct suppress run = suppress_begin();

    (void)state;
    for (int i = 0; i < 5; i++)
        suppress_receive(&run, suppress_failure("c", REPORT_CLASS_MAILBOX_INACTIVE));
    assert_int_equal(db_int("SELECT count(*) FROM suppression_strike"), 1);
    assert_false(suppress_is_on(&run, "a@b.example"));
    suppress_end(&run);
}

/* An expiry counts with the permanent failures of its cause, and the entry has that class. */
static void an_expiry_counts_as_its_cause(void **state)
{
    static const struct count_case full = {REPORT_CLASS_MAILBOX_FULL, {0, 1, 2, -1}, false};
    static const struct count_case later = {REPORT_CLASS_MAILBOX_FULL, {20, 21, -1}, false};
    struct suppress run = suppress_begin();

    (void)state;
    receive_days(&run, &full);
    receive_expiries(&run, &full, REPORT_FAULT_RECIPIENT); /* of the same deliveries */
    assert_false(suppress_is_on(&run, "a@b.example"));
    db_exec("UPDATE suppression_strike SET ref = 'other' WHERE campaign_id IN "
            "(SELECT id FROM campaign WHERE key IN ('c0', 'c1'))");
    receive_expiries(&run, &later, REPORT_FAULT_RECIPIENT);
    assert_true(suppress_is_on(&run, "a@b.example"));
    assert_int_equal(db_int("SELECT count(*) FROM suppression WHERE class = 4 AND "
                            "expires_at = caused_at + interval '90 days'"),
                     1);
    assert_int_equal(db_int("SELECT count(*) FROM suppression s, unnest(s.status_ids) u(id) "
                            "JOIN status t ON t.id = u.id AND t.class = 9 AND t.cause = 4"),
                     2);
    suppress_end(&run);
}

static void each_cause_of_an_expiry_suppresses_after_its_own_count(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(expiry_cases) / sizeof(*expiry_cases); i++) {
        struct suppress run = suppress_begin();

        receive_expiries(&run, &expiry_cases[i], REPORT_FAULT_RECIPIENT);
        if (suppress_is_on(&run, "a@b.example") != expiry_cases[i].suppressed)
            fail_msg("case %zu", i);
        suppress_end(&run);
        run = suppress_begin();
        receive_expiries(&run, &expiry_cases[i], REPORT_FAULT_SENDER);
        assert_false(suppress_is_on(&run, "a@b.example"));
        suppress_end(&run);
    }
}

static void an_entry_names_the_records_behind_it(void **state)
{
    const struct count_case full = {REPORT_CLASS_MAILBOX_FULL, {0, 1, 2, 3, 4, -1}, true};
    struct suppress run = suppress_begin();

    (void)state;
    receive_days(&run, &full);
    assert_int_equal(db_int("SELECT count(*) FROM suppression s, unnest(s.status_ids) u(id) "
                            "JOIN status t ON t.id = u.id AND t.class = 4"),
                     5);
    assert_int_equal(db_int("SELECT round(extract(epoch FROM expires_at - caused_at) / 86400) "
                            "FROM suppression"),
                     90);
    suppress_end(&run);
}

/* ---- the end of an entry ---- */

static void an_entry_ends_when_its_time_is_over(void **state)
{
    const struct count_case full = {REPORT_CLASS_MAILBOX_FULL, {0, 1, 2, 3, 4, -1}, true};
    const struct store_retention keep = {0};
    struct suppress run = suppress_begin();

    (void)state;
    receive_days(&run, &full);
    db_exec("UPDATE suppression SET expires_at = now() - interval '1 minute'");
    assert_false(suppress_is_on(&run, "a@b.example")); /* at once, not when it is swept */
    assert_int_equal(store_maintain(run.conn, &keep, dsnd_clock_now_us()), DSND_OK);
    assert_int_equal(db_int("SELECT count(*) FROM suppression"), 0);
    assert_int_equal(db_int("SELECT max(seq) FROM suppression_change WHERE op = 3"), 2);
    suppress_end(&run);
}

static void a_failure_suppresses_again_after_the_time_was_over(void **state)
{
    struct suppress run = suppress_begin();

    (void)state;
    suppress_receive(&run, suppress_failure("c0", REPORT_CLASS_MAILBOX_UNKNOWN));
    db_exec("UPDATE suppression SET expires_at = now() - interval '1 minute'");
    suppress_receive(&run, suppress_failure("c1", REPORT_CLASS_MAILBOX_UNKNOWN));
    assert_true(suppress_is_on(&run, "a@b.example"));
    suppress_end(&run);
}

/* ---- the feed ---- */

static void an_entry_that_stands_already_is_no_change(void **state)
{
    struct suppress run = suppress_begin();

    (void)state;
    for (int i = 0; i < 3; i++)
        suppress_receive(&run, suppress_failure(i % 2 ? "c0" : "c1", REPORT_CLASS_MAILBOX_UNKNOWN));
    assert_int_equal(db_int("SELECT count(*) FROM suppression_change"), 1);
    suppress_end(&run);
}

/* While one transaction has its number and is not over, no later number may be seen. */
static void numbers_become_visible_in_their_order(void **state)
{
    struct store_suppression entries[] = {{.address = DSND_STR("x@b.example")},
                                          {.address = DSND_STR("y@b.example")},
                                          {.address = DSND_STR("X@B.example")}};
    struct store_rows *rows = NULL;
    int64_t changed = 0;
    int64_t seq = 0;
    struct suppress run = suppress_begin();

    (void)state;
    db_exec("BEGIN");
    db_exec("INSERT INTO suppression (address_hash, address, source) "
            "VALUES (sha256('z@b.example'), 'z@b.example', 2)");
    db_exec("SELECT suppression_log(1::int2, 2::int2, NULL, array_agg(s)) FROM suppression s");
    /* It waits for the number and gives up: nothing is stored half. */
    assert_int_equal(pg_run_text(run.conn, "SET lock_timeout = 200"), DSND_OK);
    assert_int_equal(
        store_suppression_put(run.conn, entries, 3, STORE_SUPPRESSION_IMPORT, &changed),
        DSND_ERR_UNAVAILABLE);
    db_exec("COMMIT");
    assert_int_equal(
        store_suppression_put(run.conn, entries, 3, STORE_SUPPRESSION_IMPORT, &changed), DSND_OK);
    assert_int_equal(changed, 2);
    assert_int_equal(store_suppression_clock(run.conn, &seq), DSND_OK);
    assert_int_equal(seq, 3);
    assert_int_equal(store_suppression_changes(run.conn, 1, 10, &rows), DSND_OK);
    assert_int_equal(store_rows_count(rows), 2);
    assert_int_equal(store_rows_int(rows, 0, STORE_CHANGE_SEQ), 2);
    store_rows_free(rows);
    suppress_end(&run);
}

/* Values that travel as they are read like those that travel as text. */
static void an_entry_reads_as_it_was_stored(void **state)
{
    static const struct {
        const char *set;
        enum store_suppression_column column;
        const char *text; /* NULL: absent */
    } rows[] = {
        {"created_at = '2026-01-02 03:04:05.5+00'", STORE_SUPPRESSION_SINCE,
         "2026-01-02T03:04:05.5Z"},
        {"created_at = '2026-01-02 03:00:00+00'", STORE_SUPPRESSION_SINCE, "2026-01-02T03:00:00Z"},
        {"created_at = '1999-12-31 23:59:59.000001+00'", STORE_SUPPRESSION_SINCE,
         "1999-12-31T23:59:59.000001Z"},
        {"expires_at = 'infinity'", STORE_SUPPRESSION_EXPIRES_AT, NULL},
        {"expires_at = NULL", STORE_SUPPRESSION_EXPIRES_AT, NULL},
        {"class = 15", STORE_SUPPRESSION_CLASS, "15"},
        {"class = 0", STORE_SUPPRESSION_CLASS, "0"},
        {"pending = false", STORE_SUPPRESSION_PENDING, "false"},
        {"note = ''", STORE_SUPPRESSION_NOTE, ""},
        {"source = 3", STORE_SUPPRESSION_HASH,
         "ebb18a030bf15174f5714e24d63af1a81355c951ea7389bd2a9bd18e3d0c2477"},
    };
    struct suppress run = suppress_begin();

    (void)state;
    db_exec("INSERT INTO suppression (address_hash, address, source, status_ids) "
            "VALUES (sha256('a@b.example'), 'a@b.example', 2, '{9007199254740993, -2}')");
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char sql[128];
        char text[STORE_TEXT_SIZE];
        struct store_rows *found = NULL;
        struct dsnd_str value;

        assert_true(snprintf(sql, sizeof(sql), "UPDATE suppression SET %s", rows[i].set) > 0);
        db_exec(sql);
        assert_int_equal(store_suppression_get(run.conn, DSND_STR("a@b.example"), &found), DSND_OK);
        value = store_rows_text(found, 0, rows[i].column, text);
        assert_int_equal(dsnd_str_present(value), rows[i].text != NULL);
        assert_true(dsnd_str_eq(value, dsnd_str_of(rows[i].text)));
        assert_int_equal(store_rows_list_count(found, 0, STORE_SUPPRESSION_STATUS_IDS), 2);
        assert_true(store_rows_list_item(found, 0, STORE_SUPPRESSION_STATUS_IDS, 0) ==
                    INT64_C(9007199254740993));
        assert_true(store_rows_list_item(found, 0, STORE_SUPPRESSION_STATUS_IDS, 1) == -2);
        store_rows_free(found);
    }
    suppress_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_proven_address_is_suppressed),
        cmocka_unit_test(each_class_suppresses_after_its_own_count),
        cmocka_unit_test(who_is_refused_for_the_senders_fault_is_not_suppressed),
        cmocka_unit_test(the_senders_fault_suppresses_under_no_policy),
        cmocka_unit_test(a_passing_failure_never_suppresses),
        cmocka_unit_test(one_delivery_counts_once_however_many_reports_tell_of_it),
        cmocka_unit_test(each_cause_of_an_expiry_suppresses_after_its_own_count),
        cmocka_unit_test(an_expiry_counts_as_its_cause),
        cmocka_unit_test(an_entry_names_the_records_behind_it),
        cmocka_unit_test(an_entry_ends_when_its_time_is_over),
        cmocka_unit_test(a_failure_suppresses_again_after_the_time_was_over),
        cmocka_unit_test(an_entry_that_stands_already_is_no_change),
        cmocka_unit_test(numbers_become_visible_in_their_order),
        cmocka_unit_test(an_entry_reads_as_it_was_stored),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
