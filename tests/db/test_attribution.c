/* Which delivery a report moves: by signed paths, by registered sends, and by nothing that lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "store/digest.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

static const char journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/* As POST /v1/sends leaves it. */
static void register_send(const char *ref, const char *recipient, const char *message_id)
{
    struct store_hash hash;
    char sql[512];

    assert_int_equal(store_address_hash(dsnd_str_of(recipient), &hash), DSND_OK);
    assert_in_range(snprintf(sql, sizeof(sql),
                             "INSERT INTO send (campaign_id, ref, recipient, recipient_key,"
                             " message_id, sent_at) SELECT id, '%s', '%s', %lld, '%s', now()"
                             " FROM campaign WHERE key = 'spring'",
                             ref, recipient, (long long)store_hash_key(&hash), message_id),
                    1, sizeof(sql) - 1);
    db_exec(sql);
}

static struct items *begin(void)
{
    db_fresh();
    db_exec("INSERT INTO campaign (key) VALUES ('spring')");
    return items_new();
}

static void end(struct items *items)
{
    struct store_conn *conn = items_connect();

    (void)items_write(conn, journal, items);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

/* The last item's recipient and envelope recipient join those of the one before. */
static void merge_last(struct items *items)
{
    struct store_item *last = &items->item[--items->count];
    struct store_item *item = &items->item[items->count - 1];
    struct report *report = dsnd_arena_alloc(&items->arena, sizeof(*report));
    struct report_recipient *both = dsnd_arena_array(&items->arena, 2, sizeof(*both));
    struct dsnd_str *to = dsnd_arena_array(&items->arena, 2, sizeof(*to));
    struct return_path *paths = dsnd_arena_array(&items->arena, 2, sizeof(*paths));

    assert_true(report && both && to && paths);
    items->next_sequence--;
    *report = *item->report;
    both[0] = item->report->recipients[0];
    both[1] = last->report->recipients[0];
    report->recipients = both;
    report->recipient_count = 2;
    item->report = report;
    to[0] = item->envelope_to[0];
    to[1] = last->envelope_to[0];
    paths[0] = item->return_paths[0];
    paths[1] = last->return_paths[0];
    item->envelope_to = to;
    item->return_paths = paths;
    item->envelope_to_count = 2;
}

enum { GROUPS = 900 };

/* Whoever holds the path of his own mail may say of it what he likes, but says it once: his own
 * failure, that of others whom his delivery is said to have gone on to, a delay, and another. */
static void what_one_report_says_of_a_delivery_it_says_once(void **state)
{
    struct items *items = begin();
    struct report *report;

    (void)state;
    items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                         .signed_for = "me@evil.example",
                                         .recipient = "other@evil.example",
                                         .action = REPORT_ACTION_FAILED,
                                         .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                         .permanence = REPORT_PERMANENCE_PERMANENT,
                                         .provider = "google",
                                         .diagnostic = "550 5.1.1 no such user"});
    report = dsnd_arena_alloc(&items->arena, sizeof(*report));
    assert_non_null(report);
    *report = *items->item[0].report;
    report->recipients = dsnd_arena_array(&items->arena, GROUPS, sizeof(*report->recipients));
    assert_non_null(report->recipients);
    report->recipient_count = GROUPS;
    for (int i = 0; i < GROUPS; i++) {
        report->recipients[i] = items->item[0].report->recipients[0];
        if (i % 3 == 1)
            report->recipients[i].recipient = DSND_STR("me@evil.example");
        if (i % 100 == 99)
            report->recipients[i].action = REPORT_ACTION_DELAYED;
        if (i % 100 == 49)
            report->recipients[i].klass = REPORT_CLASS_MAILBOX_FULL;
    }
    items->item[0].report = report;
    end(items);
    assert_string_equal(db_text("SELECT string_agg(action || ':' || class || ':' || evidence || "
                                "':' || recipient, ' ' ORDER BY id) FROM status"),
                        "1:1:4:me@evil.example 1:4:4:me@evil.example 2:1:4:me@evil.example");
    assert_string_equal(db_text("SELECT recipients || ' ' || recipients_dropped FROM report"),
                        "3 897");
    assert_string_equal(db_text("SELECT statuses || ' ' || proven FROM total_campaign"), "3 3");
    assert_int_equal(db_int("SELECT hits FROM rule_hit"), 3);
    assert_int_equal(db_int("SELECT failures FROM suppression_guard"), 1);
    assert_string_equal(db_text("SELECT string_agg(address, ' ') FROM suppression"),
                        "me@evil.example");
}

/* Who got a report about somebody else and passes it on to the path of his own mail. */
static void what_a_person_says_of_others_proves_nobody(void **state)
{
    static const struct {
        const char *mail_from, *recipient;
        bool by_anybody;
        enum store_evidence evidence;
        int failed; /* is the delivery of the path's owner */
    } rows[] = {
        {"ann@there.test", "gone@there.test", true, STORE_EVIDENCE_NONE, 0},
        {"", "gone@there.test", true, STORE_EVIDENCE_SIGNED_OTHER, 1},
        {"ann@there.test", "gone@there.test", false, STORE_EVIDENCE_SIGNED_OTHER, 1},
        {"ann@there.test", "ann@there.test", true, STORE_EVIDENCE_SIGNED, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct items *items = begin();

        items_add(items, &(struct item_spec){.kind = REPORT_KIND_BOUNCE_TEXT,
                                             .mail_from = rows[i].mail_from,
                                             .by_anybody = rows[i].by_anybody,
                                             .signed_campaign = "spring",
                                             .signed_for = "ann@there.test",
                                             .recipient = rows[i].recipient,
                                             .returned_to = "ann@there.test",
                                             .action = REPORT_ACTION_FAILED,
                                             .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                             .permanence = REPORT_PERMANENCE_PERMANENT});
        items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                             .signed_for = "ann@there.test",
                                             .recipient = "ann@there.test",
                                             .action = REPORT_ACTION_DELAYED,
                                             .us = ITEMS_NOON - ITEMS_HOUR});
        end(items);
        assert_int_equal(db_int("SELECT evidence FROM status WHERE action = 1"), rows[i].evidence);
        assert_int_equal(db_int("SELECT count(*) FROM delivery"), 2 - rows[i].failed);
        assert_int_equal(
            db_int("SELECT count(*) FROM suppression WHERE address = 'ann@there.test'"),
            rows[i].failed);
    }
}

/* Each is another delivery. */
static void people_of_one_report_are_not_folded(void **state)
{
    struct items *items = begin();

    (void)state;
    for (int i = 0; i < 2; i++)
        items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                             .signed_for = i ? "a@b.example" : "c@b.example",
                                             .recipient = i ? "a@b.example" : "c@b.example",
                                             .action = REPORT_ACTION_FAILED,
                                             .permanence = REPORT_PERMANENCE_PERMANENT});
    merge_last(items);
    end(items);
    assert_int_equal(db_int("SELECT count(*) FROM status"), 2);
    assert_int_equal(db_int("SELECT recipients FROM report WHERE recipients_dropped = 0"), 2);
}

static void an_unsigned_report_finds_the_registered_send_of_its_recipient(void **state)
{
    struct items *items = begin();

    (void)state;
    register_send("u-1", "ann@there.test", "");
    items_add(items, &(struct item_spec){.hint = "spring",
                                         .recipient = "Ann@there.test",
                                         .action = REPORT_ACTION_DELAYED});
    items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                         .signed_ref = "u-1",
                                         .recipient = "ann@there.test",
                                         .action = REPORT_ACTION_FAILED,
                                         .permanence = REPORT_PERMANENCE_PERMANENT});
    end(items);
    assert_int_equal(db_int("SELECT count(*) FROM delivery"), 1);
    assert_string_equal(db_text("SELECT ref FROM delivery"), "u-1");
    assert_int_equal(db_int("SELECT failed FROM total_campaign"), 1);
    assert_int_equal(db_int("SELECT delay_open FROM total_campaign"), 0);
    assert_string_equal(db_text("SELECT string_agg(evidence::text, ' ' ORDER BY id) FROM status"),
                        "0 4");
}

static void two_sends_to_one_address_leave_open_which_is_meant(void **state)
{
    struct items *items = begin();

    (void)state;
    register_send("u-1", "ann@there.test", "");
    register_send("u-2", "ann@there.test", "");
    items_add(items, &(struct item_spec){.hint = "spring",
                                         .recipient = "ann@there.test",
                                         .action = REPORT_ACTION_FAILED});
    end(items);
    assert_int_equal(db_int("SELECT count(*) FROM delivery WHERE ref LIKE 'u-%'"), 0);
}

static void a_stranger_beside_the_registered_recipient_moves_a_delivery_of_his_own(void **state)
{
    struct items *items = begin();

    (void)state;
    register_send("u-1", "ann@there.test", "m1@sender.test");
    items_add(items, &(struct item_spec){.returned_id = "m1@sender.test",
                                         .recipient = "ann@there.test",
                                         .action = REPORT_ACTION_DELIVERED});
    items_add(items, &(struct item_spec){.recipient = "mallory@else.test",
                                         .action = REPORT_ACTION_FAILED,
                                         .permanence = REPORT_PERMANENCE_PERMANENT});
    merge_last(items);
    end(items);
    assert_int_equal(db_int("SELECT state FROM delivery WHERE ref = 'u-1'"),
                     db_int("SELECT state FROM delivery d JOIN status s ON s.ref = d.ref"
                            " WHERE s.recipient = 'ann@there.test'"));
    assert_int_equal(db_int("SELECT count(*) FROM delivery"), 2);
    assert_int_equal(db_int("SELECT count(*) FROM status WHERE ref = 'u-1'"), 1);
}

static void a_forged_return_path_attributes_nothing(void **state)
{
    struct items *items = begin();

    (void)state;
    register_send("u-1", "ann@there.test", "m1@sender.test");
    items_add(items, &(struct item_spec){.to = "r1.spring.u-1.cowkaaaaaaaaaaaaaaaa@b.example.com",
                                         .hint = "spring",
                                         .returned_id = "m1@sender.test",
                                         .recipient = "ann@there.test",
                                         .action = REPORT_ACTION_FAILED});
    assert_int_equal(items->item[0].return_paths[0].verdict, RETURN_PATH_FORGED);
    end(items);
    assert_int_equal(db_int("SELECT campaign_id FROM report"), 0);
    assert_int_equal(db_int("SELECT count(*) FROM delivery WHERE campaign_id > 0"), 0);
}

static void each_of_two_signed_recipients_is_proven_by_his_own_path(void **state)
{
    static const char *const refs[] = {NULL, "u-"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct items *items = begin();

        register_send("u-1", "ann@there.test", "");
        register_send("u-2", "bob@there.test", "");
        items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                             .signed_for = refs[i] ? NULL : "ann@there.test",
                                             .signed_ref = refs[i] ? "u-1" : NULL,
                                             .recipient = "ann@there.test",
                                             .action = REPORT_ACTION_FAILED});
        items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                             .signed_for = refs[i] ? NULL : "bob@there.test",
                                             .signed_ref = refs[i] ? "u-2" : NULL,
                                             .recipient = "bob@there.test",
                                             .action = REPORT_ACTION_FAILED});
        merge_last(items);
        end(items);
        assert_int_equal(db_int("SELECT count(*) FROM status WHERE evidence = 4"), 2);
        assert_int_equal(db_int("SELECT failed FROM total_campaign"), 2);
        assert_int_equal(db_int("SELECT count(DISTINCT ref) FROM delivery"), 2);
    }
}

/* ---- counts.min_evidence ---- */

static void evidence_below_the_floor_is_stored_and_moves_no_delivery(void **state)
{
    static const struct {
        enum store_evidence floor;
        int counted; /* of one record of each kind of evidence */
    } rows[] = {{STORE_EVIDENCE_NONE, 5},
                {STORE_EVIDENCE_MATCHED, 4},
                {STORE_EVIDENCE_SIGNED_OTHER, 3},
                {STORE_EVIDENCE_SIGNED_REF, 2},
                {STORE_EVIDENCE_SIGNED, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct store_policy policy = items_policy();
        struct store_journal_position position = {
            .journal_id = journal, .sequence = 5, .segment = 1, .offset = 500};
        struct store_batch_result result = {0};
        struct items *items = items_new();
        struct store_conn *conn;
        struct item_spec spec = {.action = REPORT_ACTION_FAILED,
                                 .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                 .permanence = REPORT_PERMANENCE_PERMANENT};

        db_fresh();
        conn = items_connect();
        db_exec("INSERT INTO campaign (key) VALUES ('spring')");
        db_exec("INSERT INTO send (campaign_id, ref, recipient, message_id, sent_at) SELECT id, "
                "'u-1', 'm@x.example', 'id-1', now() FROM campaign WHERE key = 'spring'");
        spec.recipient = "none@x.example";
        items_add(items, &spec);
        spec.recipient = "m@x.example";
        spec.returned_id = "id-1";
        items_add(items, &spec);
        spec.returned_id = NULL;
        spec.signed_campaign = "spring";
        spec.signed_for = "o@x.example";
        spec.recipient = "stranger@x.example";
        items_add(items, &spec);
        spec.signed_for = NULL;
        spec.signed_ref = "u-2";
        items_add(items, &spec);
        spec.signed_ref = NULL;
        spec.signed_for = spec.recipient = "s@x.example";
        items_add(items, &spec);
        policy.min_evidence = rows[i].floor;
        assert_int_equal(
            store_write_batch(conn, &policy, &position, items->item, items->count, &result),
            DSND_OK);
        assert_int_equal(db_int("SELECT count(DISTINCT evidence) FROM status"), 5);
        assert_int_equal(db_int("SELECT sum(statuses) FROM total_campaign"), 5);
        assert_int_equal(db_int("SELECT sum(proven) FROM total_campaign"), 4);
        assert_int_equal(db_int("SELECT sum(failed) FROM total_campaign"), rows[i].counted);
        assert_int_equal(db_int("SELECT count(*) FROM delivery WHERE state = 4"), rows[i].counted);
        /* Suppression asks for proof itself, whatever is counted. */
        assert_int_equal(db_int("SELECT count(*) FROM suppression WHERE address IS NOT NULL"), 2);
        items_check_totals();
        store_conn_free(conn);
        items_free(items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_report_says_of_a_delivery_it_says_once),
        cmocka_unit_test(what_a_person_says_of_others_proves_nobody),
        cmocka_unit_test(people_of_one_report_are_not_folded),
        cmocka_unit_test(an_unsigned_report_finds_the_registered_send_of_its_recipient),
        cmocka_unit_test(two_sends_to_one_address_leave_open_which_is_meant),
        cmocka_unit_test(a_stranger_beside_the_registered_recipient_moves_a_delivery_of_his_own),
        cmocka_unit_test(a_forged_return_path_attributes_nothing),
        cmocka_unit_test(each_of_two_signed_recipients_is_proven_by_his_own_path),
        cmocka_unit_test(evidence_below_the_floor_is_stored_and_moves_no_delivery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
