/* Judging stored records again leaves what people decided about suppressions, and what lasts. */
#include <string.h>

#include "base/clock.h"
#include "tests/support/rejudge.h"

static void what_people_decided_stays(void **state)
{
    static const struct {
        const char *address;
        enum report_class was;
        enum report_class becomes;
        const char *by_hand; /* SQL */
        const char *then;    /* class, source and pending of the entry; "" none */
    } rows[] = {
        {"plain@x.example", REPORT_CLASS_MAILBOX_UNKNOWN, REPORT_CLASS_THROTTLED, NULL, ""},
        {"new@x.example", REPORT_CLASS_THROTTLED, REPORT_CLASS_MAILBOX_UNKNOWN, NULL, "1 1 f"},
        {"set@x.example", REPORT_CLASS_MAILBOX_UNKNOWN, REPORT_CLASS_THROTTLED,
         "UPDATE suppression SET source = 2 WHERE address LIKE 'set@%'", "1 2 f"},
        {"held@x.example", REPORT_CLASS_MAILBOX_UNKNOWN, REPORT_CLASS_THROTTLED,
         "UPDATE suppression SET pending = true WHERE address LIKE 'held@%'", "1 1 t"},
        {"lifted@x.example", REPORT_CLASS_THROTTLED, REPORT_CLASS_MAILBOX_UNKNOWN,
         "INSERT INTO suppression (address_hash, source) VALUES (sha256('lifted@x.example'), 2); "
         "WITH g AS (DELETE FROM suppression WHERE address_hash = sha256('lifted@x.example') "
         "RETURNING *) SELECT suppression_log(2::smallint, 2::smallint, NULL, "
         "array_agg(g::suppression)) FROM g",
         ""},
    };
    struct rejudge run = {.reparse = false};
    struct store_conn *conn;

    (void)state;
    db_fresh();
    rejudge_before = items_new();
    rejudge_after = items_new();
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct item_spec spec = {.signed_campaign = "one",
                                 .signed_for = rows[i].address,
                                 .recipient = rows[i].address,
                                 .action = REPORT_ACTION_FAILED,
                                 .klass = rows[i].was,
                                 .permanence = REPORT_PERMANENCE_PERMANENT};

        items_add(rejudge_before, &spec);
        spec.klass = rows[i].becomes;
        items_add(rejudge_after, &spec);
    }
    rejudge_name(rejudge_before);
    rejudge_name(rejudge_after);
    conn = items_connect();
    rejudge_write(conn, rejudge_before, 0, rejudge_before->count);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].by_hand)
            db_exec(rows[i].by_hand);
    (void)rejudge_run(&run, true, 100);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char sql[512];

        assert_true(snprintf(sql, sizeof(sql),
                             "SELECT coalesce((SELECT concat_ws(' ', class, source, pending) "
                             "FROM suppression WHERE address = '%s'), '')",
                             rows[i].address) < (int)sizeof(sql));
        if (strcmp(db_text(sql), rows[i].then) != 0)
            fail_msg("%s: \"%s\"", rows[i].address, db_text(sql));
    }
    store_conn_free(conn);
    rejudge_drop();
}

/* As what the writer holds: no change of the list, but of the history of the address. */
static void what_is_held_from_the_beginning_is_told(void **state)
{
    struct item_spec spec = {.signed_campaign = "one",
                             .signed_for = "a@x.example",
                             .recipient = "a@x.example",
                             .action = REPORT_ACTION_FAILED,
                             .klass = REPORT_CLASS_THROTTLED,
                             .permanence = REPORT_PERMANENCE_PERMANENT,
                             .provider = "google",
                             .diagnostic = "550 5.1.1 no such user"};
    struct rejudge run = {.reparse = false};
    struct store_conn *conn;

    (void)state;
    db_fresh();
    rejudge_before = items_new();
    rejudge_after = items_new();
    items_add(rejudge_before, &spec);
    spec.klass = REPORT_CLASS_MAILBOX_UNKNOWN;
    items_add(rejudge_after, &spec);
    rejudge_name(rejudge_before);
    rejudge_name(rejudge_after);
    conn = items_connect();
    rejudge_write(conn, rejudge_before, 0, rejudge_before->count);
    db_exec(
        "INSERT INTO suppression_guard (campaign_id, provider, hour, signature, failures, held_at)"
        " SELECT campaign_id, provider, date_trunc('hour', received_at, 'UTC'), '0 0.0.0 no such "
        "user', "
        "100, now() FROM status");
    (void)rejudge_run(&run, true, 100);
    assert_int_equal(db_int("SELECT count(*) FROM suppression WHERE pending"), 1);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_change"), 0);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_aside WHERE NOT dropped"), 1);
    store_conn_free(conn);
    rejudge_drop();
}

/* An entry that one failure on probation made lasts beyond the time of its class, whatever is
 * judged again of its address. */
static void a_relapse_lasts(void **state)
{
    const struct item_spec relapse = {.signed_campaign = "one",
                                      .signed_for = "a@x.example",
                                      .recipient = "a@x.example",
                                      .action = REPORT_ACTION_FAILED,
                                      .klass = REPORT_CLASS_MAILBOX_INACTIVE,
                                      .permanence = REPORT_PERMANENCE_PERMANENT,
                                      .us = dsnd_clock_now_us() - 40 * DSND_US_PER_DAY};
    struct item_spec other = relapse;

    (void)state;
    other.signed_campaign = "two";
    for (int threshold = 1; threshold <= 2; threshold++) {
        struct rejudge run = {.reparse = false};
        struct store_conn *conn;

        db_fresh();
        db_exec(threshold == 1 ? "UPDATE suppression_policy SET threshold = 1 WHERE class = 2"
                               : "SELECT 1");
        db_exec("INSERT INTO suppression_probation VALUES (sha256('a@x.example'), 2, "
                "now() - interval '41 days', now() + interval '1 day')");
        rejudge_before = items_new();
        rejudge_after = items_new();
        items_add(rejudge_before, &relapse);
        items_add(rejudge_after, &relapse);
        other.klass = REPORT_CLASS_MAILBOX_UNKNOWN;
        items_add(rejudge_before, &other);
        other.klass = REPORT_CLASS_THROTTLED;
        items_add(rejudge_after, &other);
        rejudge_name(rejudge_before);
        rejudge_name(rejudge_after);
        conn = items_connect();
        rejudge_write(conn, rejudge_before, 0, rejudge_before->count);
        (void)rejudge_run(&run, true, 100);
        assert_int_equal(run.changed, 1);
        assert_string_equal(db_text("SELECT string_agg(class || ' ' || coalesce(expires_at::text, "
                                    "'lasts'), ',') FROM suppression"),
                            "2 lasts");
        store_conn_free(conn);
        rejudge_drop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_people_decided_stays),
        cmocka_unit_test(what_is_held_from_the_beginning_is_told),
        cmocka_unit_test(a_relapse_lasts),
    };

    return cmocka_run_group_tests_name("reclassify_people", tests, NULL, NULL);
}
