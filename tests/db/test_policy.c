/* The policy of a class, probation after an entry has ended, and who changed what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/codes.h"
#include "store/query_policy.h"
#include "store/query_suppression.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

#define WHO DSND_STR("a@b.example")

static const char journal[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

struct run {
    struct items *items;
    struct store_conn *conn;
    int campaigns;
};

static struct run begin(void)
{
    db_fresh();
    return (struct run){.items = items_new(), .conn = items_connect()};
}

static void end(struct run *run)
{
    store_conn_free(run->conn);
    items_free(run->items);
}

/* Each failure is of another delivery. */
static void fail_at(struct run *run, enum report_class klass, int64_t us)
{
    static const char *const campaigns[] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"};
    struct item_spec spec = {.signed_campaign = campaigns[run->campaigns++ % 8],
                             .signed_for = "a@b.example",
                             .recipient = "a@b.example",
                             .action = REPORT_ACTION_FAILED,
                             .klass = klass,
                             .permanence = REPORT_PERMANENCE_PERMANENT,
                             .us = us};

    items_add(run->items, &spec);
    (void)items_write(run->conn, journal, run->items);
}

static bool suppressed(struct run *run)
{
    struct dsnd_str who = WHO;
    char text[STORE_TEXT_SIZE];
    struct store_rows *rows = NULL;
    bool yes;

    assert_int_equal(store_suppression_check(run->conn, &who, 1, &rows), DSND_OK);
    yes = dsnd_str_eq(store_rows_text(rows, 0, STORE_CHECK_SUPPRESSED, text), DSND_STR("true"));
    store_rows_free(rows);
    return yes;
}

static void put(struct run *run, struct store_suppression_policy policy)
{
    assert_int_equal(store_policy_put(run->conn, &policy), DSND_OK);
}

/* The only entry ends now, as time would end it. */
static void let_end(struct run *run, bool swept)
{
    const struct store_retention keep = {0};

    db_exec("UPDATE suppression SET expires_at = now() - interval '1 minute'");
    if (swept)
        assert_int_equal(store_maintain(run->conn, &keep, dsnd_clock_now_us()), DSND_OK);
    assert_false(suppressed(run));
}

/* ---- the policy ---- */

static void what_is_put_holds_for_what_comes(void **state)
{
    const struct {
        struct store_suppression_policy policy;
        int failures;
        bool suppressed;
    } rows[] = {
        {{REPORT_CLASS_THROTTLED, 0, 0, 1, -1, -1, false, 1}, 5, false},
        {{REPORT_CLASS_THROTTLED, 1, 0, 1, -1, -1, false, 1}, 1, true},
        {{REPORT_CLASS_THROTTLED, 3, 86400, 1, -1, -1, false, 1}, 2, false},
        {{REPORT_CLASS_THROTTLED, 3, 86400, 1, -1, -1, false, 1}, 3, true},
        {{REPORT_CLASS_MAILBOX_UNKNOWN, 0, 0, 1, -1, -1, false, 1}, 5, false},
        {{REPORT_CLASS_MAILBOX_UNKNOWN, 2, 86400, 2, -1, -1, false, 1}, 5, false},
        {{REPORT_CLASS_MAILBOX_UNKNOWN, 1, 0, 1, -1, -1, false, STORE_EVIDENCE_SIGNED}, 1, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct run run = begin();

        put(&run, rows[i].policy);
        for (int k = 0; k < rows[i].failures; k++)
            fail_at(&run, (enum report_class)rows[i].policy.klass, ITEMS_NOON + k);
        if (suppressed(&run) != rows[i].suppressed)
            fail_msg("case %zu", i);
        end(&run);
    }
}

/* It runs from the report, whenever that is stored: an old one makes no entry that is over. */
static void an_entry_ends_after_the_time_of_its_class(void **state)
{
    static const struct {
        int64_t age_us;
        bool suppressed;
    } rows[] = {{0, true}, {ITEMS_HOUR, true}, {3 * ITEMS_HOUR, false}};

    (void)state;
    for (int threshold = 1; threshold <= 2; threshold++)
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            struct run run = begin();
            int64_t us = dsnd_clock_now_us() - rows[i].age_us;

            put(&run, (struct store_suppression_policy){REPORT_CLASS_THROTTLED, (int16_t)threshold,
                                                        86400, 1, 7200, -1, false, 1});
            for (int k = 0; k < threshold; k++)
                fail_at(&run, REPORT_CLASS_THROTTLED, us);
            if (suppressed(&run) != rows[i].suppressed)
                fail_msg("case %zu of threshold %d", i, threshold);
            assert_int_equal(db_int("SELECT count(*) FROM suppression WHERE caused_at + interval "
                                    "'2 hours' = expires_at"),
                             rows[i].suppressed);
            assert_int_equal(db_int("SELECT count(*) FROM suppression_change"), rows[i].suppressed);
            end(&run);
        }
}

static void weaker_evidence_does_not_count(void **state)
{
    struct run run = begin();
    struct item_spec spec = {.recipient = "a@b.example",
                             .returned_id = "only@sender.example",
                             .action = REPORT_ACTION_FAILED,
                             .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                             .permanence = REPORT_PERMANENCE_PERMANENT};

    (void)state;
    db_exec("INSERT INTO campaign (key) VALUES ('c'); INSERT INTO send (campaign_id, ref, "
            "recipient, message_id, sent_at) SELECT id, '1', 'a@b.example', "
            "'only@sender.example', now() FROM campaign WHERE key = 'c'");
    put(&run, (struct store_suppression_policy){REPORT_CLASS_MAILBOX_UNKNOWN, 1, 0, 1, -1, -1,
                                                false, STORE_EVIDENCE_SIGNED});
    items_add(run.items, &spec);
    (void)items_write(run.conn, journal, run.items);
    assert_false(suppressed(&run)); /* matched */
    put(&run, (struct store_suppression_policy){REPORT_CLASS_MAILBOX_INACTIVE, 2, 86400, 1, -1, -1,
                                                false, STORE_EVIDENCE_SIGNED});
    spec.klass = REPORT_CLASS_MAILBOX_INACTIVE;
    items_add(run.items, &spec);
    (void)items_write(run.conn, journal, run.items);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_strike"), 0);
    fail_at(&run, REPORT_CLASS_MAILBOX_UNKNOWN, ITEMS_NOON);
    assert_true(suppressed(&run)); /* signed */
    end(&run);
}

static void no_row_can_contradict_itself(void **state)
{
    const struct store_suppression_policy rows[] = {
        {REPORT_CLASS_REPUTATION_BLOCK, 1, 0, 1, -1, -1, false, 1},
        {REPORT_CLASS_AUTH_FAILURE, 1, 0, 1, -1, -1, false, 1},
        {REPORT_CLASS_CONTENT_BLOCK, 9, 86400, 1, -1, -1, false, 1},
        {REPORT_CLASS_MAILBOX_FULL, 2, 0, 1, -1, -1, false, 1},
        {REPORT_CLASS_MAILBOX_FULL, 1, 0, 1, -1, -1, false, STORE_EVIDENCE_NONE},
        {REPORT_CLASS_MAILBOX_FULL, 1, 0, 1, -1, 7200, false, 1},
        {REPORT_CLASS_MAILBOX_FULL, 1, 0, 1, 7200, -1, true, 1},
        {REPORT_CLASS_MAILBOX_FULL, 2, 86400, 3, -1, -1, false, 1},
    };
    struct run run = begin();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (store_policy_put(run.conn, &rows[i]) != DSND_ERR_REFUSED)
            fail_msg("row %zu is taken", i);
    end(&run);
}

static void a_change_is_noted_with_who_made_it(void **state)
{
    struct run run = begin();

    (void)state;
    assert_int_equal(store_actor_name(run.conn, "ops"), DSND_OK);
    put(&run, (struct store_suppression_policy){REPORT_CLASS_THROTTLED, 1, 0, 1, -1, -1, false, 1});
    db_exec("UPDATE suppression_policy SET threshold = 0 WHERE class = 6");
    assert_string_equal(
        db_text("SELECT string_agg(coalesce(changed_by, '?') || ':' || (before->>'threshold') || "
                "'>' || (after->>'threshold'), ' ' ORDER BY id) FROM suppression_policy_change"),
        "ops:0>1 ?:1>0");
    end(&run);
}

/* ---- probation ---- */

static void fill_mailbox(struct run *run)
{
    int64_t yesterday = dsnd_clock_now_us() - DSND_US_PER_DAY;

    for (int i = 0; i < 5; i++)
        fail_at(run, REPORT_CLASS_MAILBOX_FULL, yesterday + i);
    assert_true(suppressed(run));
    db_exec("DELETE FROM suppression_strike"); /* else they would count again */
}

static void one_failure_on_probation_suppresses_again(void **state)
{
    (void)state;
    for (int swept = 0; swept < 2; swept++) {
        struct run run = begin();

        fill_mailbox(&run);
        let_end(&run, swept);
        fail_at(&run, REPORT_CLASS_MAILBOX_FULL, dsnd_clock_now_us());
        assert_true(suppressed(&run));
        assert_int_equal(db_int("SELECT count(*) FROM suppression WHERE expires_at > now() + "
                                "interval '89 days' AND array_length(status_ids, 1) = 1"),
                         1);
        end(&run);
    }
}

static void a_failure_of_another_class_or_time_does_not(void **state)
{
    struct run run = begin();

    (void)state;
    fill_mailbox(&run);
    let_end(&run, true);
    fail_at(&run, REPORT_CLASS_POLICY_REFUSED, dsnd_clock_now_us());
    assert_false(suppressed(&run));
    fail_at(&run, REPORT_CLASS_MAILBOX_FULL, dsnd_clock_now_us() - 5 * 60 * DSND_US_PER_S);
    assert_false(suppressed(&run)); /* received before the entry ended */
    db_exec("UPDATE suppression_probation SET until_at = now() - interval '1 second'");
    fail_at(&run, REPORT_CLASS_MAILBOX_FULL, dsnd_clock_now_us());
    assert_false(suppressed(&run)); /* probation is over */
    end(&run);
}

static void an_inactive_mailbox_is_tried_once_more(void **state)
{
    struct run run = begin();
    int64_t yesterday = dsnd_clock_now_us() - DSND_US_PER_DAY;

    (void)state;
    fail_at(&run, REPORT_CLASS_MAILBOX_INACTIVE, yesterday);
    fail_at(&run, REPORT_CLASS_MAILBOX_INACTIVE, yesterday + 1);
    assert_int_equal(db_int("SELECT round(extract(epoch FROM expires_at - caused_at) / 86400) "
                            "FROM suppression"),
                     30);
    db_exec("DELETE FROM suppression_strike");
    let_end(&run, true);
    fail_at(&run, REPORT_CLASS_MAILBOX_INACTIVE, dsnd_clock_now_us());
    assert_int_equal(db_int("SELECT count(*) FROM suppression WHERE expires_at IS NULL"), 1);
    end(&run);
}

static void what_lifts_by_hand_or_proof_ends_probation(void **state)
{
    (void)state;
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        struct run run = begin();
        struct item_spec spec = {.signed_campaign = "ok",
                                 .signed_for = "a@b.example",
                                 .recipient = "a@b.example",
                                 .action = REPORT_ACTION_DELIVERED,
                                 .us = dsnd_clock_now_us()};

        fill_mailbox(&run);
        let_end(&run, true);
        if (by_hand) {
            assert_int_equal(
                store_suppression_lift(run.conn, WHO, STORE_SUPPRESSION_API, DSND_STR_ABSENT),
                DSND_ERR_NOT_FOUND);
        } else {
            items_add(run.items, &spec);
            (void)items_write(run.conn, journal, run.items);
        }
        assert_int_equal(db_int("SELECT count(*) FROM suppression_probation"), 0);
        fail_at(&run, REPORT_CLASS_MAILBOX_FULL, dsnd_clock_now_us());
        assert_false(suppressed(&run));
        end(&run);
    }
}

/* ---- history ---- */

static void history_tells_what_happened_and_who_did_it(void **state)
{
    static const struct store_suppression entry = {.address = {"A@B.example", 11}};
    struct store_rows *rows = NULL;
    struct run run = begin();
    int64_t erased = 0;
    int64_t changed = 0;
    const int ops[] = {STORE_SUPPRESSION_ADD, STORE_SUPPRESSION_LIFT, STORE_SUPPRESSION_ADD,
                       STORE_SUPPRESSION_ERASE};
    const char *actors[] = {"", "ann", "ann", "bob"};

    (void)state;
    fail_at(&run, REPORT_CLASS_MAILBOX_UNKNOWN, ITEMS_NOON);
    assert_int_equal(store_actor_name(run.conn, "ann"), DSND_OK);
    assert_int_equal(store_suppression_lift(run.conn, WHO, STORE_SUPPRESSION_API, DSND_STR("why")),
                     DSND_OK);
    assert_int_equal(store_suppression_put(run.conn, &entry, 1, STORE_SUPPRESSION_API, &changed),
                     DSND_OK);
    assert_int_equal(store_actor_name(run.conn, "bob"), DSND_OK);
    assert_int_equal(store_recipient_erase(run.conn, WHO, &erased), DSND_OK);
    assert_int_equal(store_suppression_history(run.conn, WHO, &rows), DSND_OK);
    assert_int_equal(store_rows_count(rows), 4);
    for (size_t i = 0; i < 4; i++) {
        struct dsnd_str actor = store_rows_value(rows, i, STORE_HISTORY_ACTOR);

        assert_int_equal(store_rows_int(rows, i, STORE_HISTORY_OP), ops[i]);
        assert_int_equal(store_rows_int(rows, i, STORE_HISTORY_SEQ), i + 1);
        if (!(*actors[i] ? dsnd_str_eq(actor, dsnd_str_of(actors[i])) : !dsnd_str_present(actor)))
            fail_msg("%zu: %.*s", i, DSND_STR_ARG(actor));
    }
    store_rows_free(rows);
    end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_holds_for_what_comes),
        cmocka_unit_test(an_entry_ends_after_the_time_of_its_class),
        cmocka_unit_test(weaker_evidence_does_not_count),
        cmocka_unit_test(no_row_can_contradict_itself),
        cmocka_unit_test(a_change_is_noted_with_who_made_it),
        cmocka_unit_test(one_failure_on_probation_suppresses_again),
        cmocka_unit_test(a_failure_of_another_class_or_time_does_not),
        cmocka_unit_test(an_inactive_mailbox_is_tried_once_more),
        cmocka_unit_test(what_lifts_by_hand_or_proof_ends_probation),
        cmocka_unit_test(history_tells_what_happened_and_who_did_it),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
