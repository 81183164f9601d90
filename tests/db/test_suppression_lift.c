/* How an address comes off the list again, and what may not bring it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/query_suppression.h"
#include "tests/support/db.h"
#include "tests/support/items.h"
#include "tests/support/suppress.h"

static void confirm(struct suppress *run, const char *campaign, int64_t us)
{
    struct item_spec spec = suppress_failure(campaign, REPORT_CLASS_NONE);

    spec.action = REPORT_ACTION_DELIVERED;
    spec.permanence = REPORT_PERMANENCE_NONE;
    spec.us = us;
    suppress_receive(run, spec);
}

/* Whatever is stored first: a log is read before the archive, one pipeline is behind another. */
static void what_is_older_than_a_delivery_suppresses_nobody(void **state)
{
    static const struct {
        enum report_class klass;
        int64_t after_us; /* of the failure behind the delivery */
        bool suppressed;
    } rows[] = {
        {REPORT_CLASS_MAILBOX_UNKNOWN, -ITEMS_HOUR, false},
        {REPORT_CLASS_MAILBOX_UNKNOWN, -30 * ITEMS_HOUR, false},
        {REPORT_CLASS_MAILBOX_UNKNOWN, 0, true},
        {REPORT_CLASS_MAILBOX_UNKNOWN, ITEMS_HOUR, true},
        {REPORT_CLASS_MAILBOX_INACTIVE, -ITEMS_HOUR, false},
        {REPORT_CLASS_COMPLAINT, -ITEMS_HOUR, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct suppress run = suppress_begin();
        struct item_spec spec = suppress_failure("c", rows[i].klass);

        confirm(&run, "ok", ITEMS_NOON);
        spec.us = ITEMS_NOON + rows[i].after_us;
        suppress_receive(&run, spec);
        if (suppress_is_on(&run, "a@b.example") != rows[i].suppressed)
            fail_msg("case %zu", i);
        assert_int_equal(db_int("SELECT count(*) FROM suppression_strike"), 0);
        suppress_end(&run);
    }
}

static void what_is_older_than_the_delivery_of_a_ref_suppresses_no_ref(void **state)
{
    struct suppress run = suppress_begin();
    struct item_spec spec = suppress_failure("c", REPORT_CLASS_MAILBOX_UNKNOWN);

    (void)state;
    spec.signed_for = NULL;
    spec.signed_ref = "u-1";
    spec.action = REPORT_ACTION_DELIVERED;
    suppress_receive(&run, spec);
    spec.action = REPORT_ACTION_FAILED;
    spec.us = ITEMS_NOON - ITEMS_HOUR;
    suppress_receive(&run, spec);
    assert_int_equal(db_int("SELECT count(*) FROM suppression"), 0);
    spec.us = ITEMS_NOON + ITEMS_HOUR;
    suppress_receive(&run, spec);
    assert_int_equal(db_int("SELECT count(*) FROM suppression"), 1);
    suppress_end(&run);
}

/* What a person decided holds against all that was received before. */
static void what_is_older_than_a_lift_by_hand_suppresses_nobody(void **state)
{
    struct suppress run = suppress_begin();
    struct item_spec spec = suppress_failure("c", REPORT_CLASS_MAILBOX_UNKNOWN);

    (void)state;
    spec.us = dsnd_clock_now_us() - 2 * ITEMS_HOUR;
    suppress_receive(&run, spec);
    assert_int_equal(store_suppression_lift(run.conn, DSND_STR("a@b.example"),
                                            STORE_SUPPRESSION_API, DSND_STR_ABSENT),
                     DSND_OK);
    spec.us += ITEMS_HOUR;
    suppress_receive(&run, spec);
    assert_false(suppress_is_on(&run, "a@b.example"));
    spec.klass = REPORT_CLASS_MAILBOX_FULL;
    suppress_receive(&run, spec);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_strike"), 0);
    spec.klass = REPORT_CLASS_MAILBOX_UNKNOWN;
    spec.us = dsnd_clock_now_us() + ITEMS_HOUR;
    suppress_receive(&run, spec);
    assert_true(suppress_is_on(&run, "a@b.example"));
    suppress_end(&run);
}

static void pass_minute(struct suppress *run)
{
    const struct store_retention keep = {0};

    assert_int_equal(store_maintain(run->conn, &keep, dsnd_clock_now_us()), DSND_OK);
}

/* The delivery is told last of all: it ends what was before it, and nothing else. */
static void what_fails_after_a_delivery_suppresses_whatever_is_stored_first(void **state)
{
    static const struct {
        const char *ref;
        int64_t after_us;
        bool suppressed;
    } rows[] = {
        {NULL, -ITEMS_HOUR, false},  {NULL, 0, true},           {NULL, 30 * ITEMS_HOUR, true},
        {"u-1", -ITEMS_HOUR, false}, {"u-1", ITEMS_HOUR, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct suppress run = suppress_begin();
        struct item_spec spec = suppress_failure("c", REPORT_CLASS_MAILBOX_UNKNOWN);

        spec.signed_ref = rows[i].ref;
        spec.signed_for = rows[i].ref ? NULL : spec.signed_for;
        spec.us = ITEMS_NOON - 2 * ITEMS_HOUR;
        suppress_receive(&run, spec);
        spec.us = ITEMS_NOON + rows[i].after_us;
        suppress_receive(&run, spec);
        spec.action = REPORT_ACTION_DELIVERED;
        spec.us = ITEMS_NOON;
        suppress_receive(&run, spec);
        pass_minute(&run);
        if (db_int("SELECT count(*) FROM suppression") != rows[i].suppressed)
            fail_msg("case %zu", i);
        assert_int_equal(db_int("SELECT count(*) FROM suppression_again"), 0);
        suppress_end(&run);
    }
}

static void a_delivery_confirmed_later_lifts(void **state)
{
    struct suppress run = suppress_begin();

    (void)state;
    suppress_receive(&run, suppress_failure("c0", REPORT_CLASS_MAILBOX_UNKNOWN));
    confirm(&run, "c1", ITEMS_NOON - ITEMS_HOUR);
    assert_true(suppress_is_on(&run, "a@b.example"));
    confirm(&run, "c2", ITEMS_NOON + ITEMS_HOUR);
    assert_false(suppress_is_on(&run, "a@b.example"));
    assert_string_equal(db_text("SELECT string_agg(op || ':' || coalesce(note, ''), ' ' "
                                "ORDER BY seq) FROM suppression_change"),
                        "1: 2:delivered");
    suppress_end(&run);
}

static void a_confirmed_delivery_forgets_earlier_failures(void **state)
{
    struct suppress run = suppress_begin();

    (void)state;
    suppress_receive(&run, suppress_failure("c0", REPORT_CLASS_MAILBOX_INACTIVE));
    confirm(&run, "c1", ITEMS_NOON + ITEMS_HOUR);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_strike"), 0);
    suppress_end(&run);
}

static void a_delivery_lifts_no_complaint_and_nothing_set_by_hand(void **state)
{
    struct store_suppression entry = {.address = DSND_STR("a@b.example")};
    struct item_spec spec = suppress_failure("c0", REPORT_CLASS_COMPLAINT);
    int64_t changed = 0;
    struct suppress run = suppress_begin();

    (void)state;
    spec.kind = REPORT_KIND_ARF;
    spec.feedback = REPORT_FEEDBACK_ABUSE;
    spec.action = REPORT_ACTION_NONE;
    suppress_receive(&run, spec);
    confirm(&run, "c1", ITEMS_NOON + ITEMS_HOUR);
    assert_true(suppress_is_on(&run, "a@b.example"));
    assert_int_equal(store_suppression_lift(run.conn, entry.address, STORE_SUPPRESSION_API,
                                            DSND_STR("asked for it")),
                     DSND_OK);
    assert_false(suppress_is_on(&run, "a@b.example"));
    assert_int_equal(store_suppression_put(run.conn, &entry, 1, STORE_SUPPRESSION_API, &changed),
                     DSND_OK);
    confirm(&run, "c2", ITEMS_NOON + 2 * ITEMS_HOUR);
    assert_true(suppress_is_on(&run, "a@b.example"));
    suppress_end(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_older_than_a_delivery_suppresses_nobody),
        cmocka_unit_test(what_is_older_than_the_delivery_of_a_ref_suppresses_no_ref),
        cmocka_unit_test(what_is_older_than_a_lift_by_hand_suppresses_nobody),
        cmocka_unit_test(what_fails_after_a_delivery_suppresses_whatever_is_stored_first),
        cmocka_unit_test(a_delivery_confirmed_later_lifts),
        cmocka_unit_test(a_confirmed_delivery_forgets_earlier_failures),
        cmocka_unit_test(a_delivery_lifts_no_complaint_and_nothing_set_by_hand),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
