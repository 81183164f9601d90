/* What the log of a mail server says becomes sends, deliveries and totals, each once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "store/codes.h"
#include "store/log.h"
#include "store/pg.h"
#include "store/query_suppression.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

static const char log_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char journal_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

static const struct item_spec failed = {
    .signed_campaign = "spring",
    .signed_for = "ann@there.example",
    .recipient = "ann@there.example",
    .action = REPORT_ACTION_FAILED,
    .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
    .permanence = REPORT_PERMANENCE_PERMANENT,
    .diagnostic = "550 5.1.1 unknown",
    .provider = "google",
};

/* The same, as a line of the log tells it. */
static void add_line(struct items *items, const struct item_spec *spec)
{
    struct item_spec one = *spec;
    struct store_item *item = &items->item[items->count];

    one.kind = REPORT_KIND_MTA_LOG;
    items_add(items, &one);
    item->registers = true;
    item->sent_us = item->received_us - ITEMS_HOUR;
}

static void a_line_registers_what_was_sent_once(void **state)
{
    struct items *items = items_new();
    struct store_batch_result result;
    struct item_spec delivered = failed;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    delivered.action = REPORT_ACTION_DELIVERED;
    delivered.klass = REPORT_CLASS_NONE;
    delivered.permanence = REPORT_PERMANENCE_NONE;
    delivered.signed_for = delivered.recipient = "bob@there.example";
    delivered.returned_id = "1@x.example";
    add_line(items, &failed);
    add_line(items, &delivered);
    add_line(items, &delivered);
    result = items_write(conn, log_a, items);
    assert_int_equal(result.reports, 3);
    assert_int_equal(result.sends, 2);
    assert_int_equal(db_int("SELECT sent FROM total_campaign"), 2);
    assert_int_equal(db_int("SELECT sum(sent) FROM total_breakdown WHERE class = 0"), 2);
    assert_int_equal(db_int("SELECT sent FROM total_hour WHERE sent > 0 AND"
                            " hour = '2026-11-23 09:00Z'"),
                     2);
    assert_int_equal(db_int("SELECT delivered FROM total_campaign"), 1);
    assert_int_equal(db_int("SELECT failed FROM total_campaign"), 1);
    assert_string_equal(db_text("SELECT message_id FROM send WHERE recipient ="
                                " 'bob@there.example' AND recipient_key IS NOT NULL"),
                        "1@x.example");
    assert_int_equal(db_int("SELECT count(*) FROM report WHERE kind = 6"), 3);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

/* The server sends a report by mail, too: it is the same delivery. */
static void in_band_and_out_of_band_are_one_delivery(void **state)
{
    struct items *items = items_new();
    struct items *mail = items_new();
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    add_line(items, &failed);
    (void)items_write(conn, log_a, items);
    items_add(mail, &failed);
    (void)items_write(conn, journal_b, mail);
    assert_int_equal(db_int("SELECT count(*) FROM delivery"), 1);
    assert_int_equal(db_int("SELECT failed FROM total_campaign"), 1);
    assert_int_equal(db_int("SELECT hard FROM total_campaign"), 1);
    assert_int_equal(db_int("SELECT sent FROM total_campaign"), 1);
    assert_int_equal(db_int("SELECT count(*) FROM suppression"), 1);
    assert_int_equal(db_int("SELECT evidence FROM suppression"), STORE_EVIDENCE_SIGNED);
    assert_int_equal(db_int("SELECT failures FROM suppression_guard"), 1);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
    items_free(mail);
}

/* Whose the sender's own ref is: the first line that tells it, unless it was registered before. */
static void an_own_ref_is_explained_by_the_log(void **state)
{
    struct items *items = items_new();
    struct item_spec own = failed;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    own.signed_for = NULL;
    own.signed_ref = "u-1";
    add_line(items, &own);
    (void)items_write(conn, log_a, items);
    assert_int_equal(db_int("SELECT evidence FROM status"), STORE_EVIDENCE_SIGNED);
    assert_string_equal(db_text("SELECT recipient FROM send"), "ann@there.example");
    assert_string_equal(db_text("SELECT address FROM suppression"), "ann@there.example");
    /* Another address under the same ref, later: it is not believed. */
    items->count = 0;
    own.recipient = "victim@there.example";
    add_line(items, &own);
    (void)items_write(conn, log_a, items);
    assert_int_equal(db_int("SELECT count(*) FROM suppression"), 1);
    assert_int_equal(db_int("SELECT max(evidence) FROM status WHERE recipient LIKE 'victim%'"),
                     STORE_EVIDENCE_SIGNED_OTHER);
    assert_int_equal(db_int("SELECT sent FROM total_campaign"), 1);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

/* Of several lines in one batch the first tells it, as if the others came in a batch of their own.
 */
static void the_first_line_of_a_batch_explains_a_ref(void **state)
{
    struct items *items = items_new();
    struct item_spec own = failed;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    own.signed_for = NULL;
    own.signed_ref = "u-1";
    own.recipient = "early@there.example";
    items_add(items, &own); /* a report by mail, before: nothing tells whose the ref is */
    own.recipient = failed.recipient;
    add_line(items, &own);
    own.recipient = "victim@there.example";
    add_line(items, &own);
    own.signed_ref = "u-2";
    own.recipient = "bob@there.example";
    add_line(items, &own);
    own.signed_ref = "u-1";
    own.recipient = "other@there.example";
    items_add(items, &own);
    (void)items_write(conn, log_a, items);
    assert_string_equal(db_text("SELECT string_agg(address, ' ' ORDER BY address COLLATE \"C\")"
                                " FROM suppression WHERE evidence = 4"),
                        "ann@there.example bob@there.example");
    assert_string_equal(db_text("SELECT string_agg(split_part(recipient, '@', 1) || evidence, ' '"
                                " ORDER BY recipient COLLATE \"C\") FROM status"),
                        "ann4 bob4 early3 other2 victim2");
    assert_string_equal(db_text("SELECT string_agg(recipient, ' ' ORDER BY ref) FROM send"),
                        "ann@there.example bob@there.example");
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

/* Registered by its ref only, or erased since: no line of a log tells whose it is. */
static void a_registered_ref_without_an_address_is_not_explained(void **state)
{
    struct items *items = items_new();
    struct item_spec own = failed;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    db_exec("INSERT INTO campaign (key) VALUES ('spring')");
    db_exec("INSERT INTO send (campaign_id, ref, sent_at) SELECT id, 'u-1', now() FROM campaign"
            " WHERE key = 'spring'");
    conn = items_connect();
    own.signed_for = NULL;
    own.signed_ref = "u-1";
    add_line(items, &own);
    (void)items_write(conn, log_a, items);
    assert_int_equal(db_int("SELECT evidence FROM status"), STORE_EVIDENCE_SIGNED_REF);
    assert_int_equal(db_int("SELECT count(*) FROM suppression WHERE address IS NOT NULL"), 0);
    assert_int_equal(db_int("SELECT count(recipient) FROM send"), 0);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

/* A message that went to two addresses by the return path of one: what became of the other, as our
 * own server says, neither suppresses the one nor lifts. */
static void a_line_of_another_address_proves_nothing_of_the_one(void **state)
{
    struct items *items = items_new();
    struct item_spec other = failed;
    struct item_spec delivered = failed;
    struct store_conn *conn;

    (void)state;
    db_fresh();
    conn = items_connect();
    delivered.action = REPORT_ACTION_DELIVERED;
    delivered.klass = REPORT_CLASS_NONE;
    delivered.permanence = REPORT_PERMANENCE_NONE;
    add_line(items, &delivered);
    (void)items_write(conn, log_a, items);
    items->count = 0;
    other.recipient = "archive@x.example";
    add_line(items, &other);
    (void)items_write(conn, log_a, items);
    assert_int_equal(db_int("SELECT evidence FROM status WHERE recipient LIKE 'archive%'"),
                     STORE_EVIDENCE_SIGNED_OTHER);
    assert_int_equal(db_int("SELECT count(proven_recipient) FROM status"), 1);
    assert_int_equal(db_int("SELECT count(*) FROM suppression"), 0);
    items->count = 0;
    add_line(items, &failed);
    (void)items_write(conn, log_a, items);
    assert_int_equal(db_int("SELECT count(*) FROM suppression"), 1);
    items->count = 0;
    delivered.recipient = "archive@x.example";
    add_line(items, &delivered);
    (void)items_write(conn, log_a, items);
    assert_int_equal(db_int("SELECT count(*) FROM suppression"), 1);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

static void what_was_registered_before_stays(void **state)
{
    struct items *items = items_new();
    struct store_conn *conn;
    struct store_batch_result result;

    (void)state;
    db_fresh();
    db_exec("INSERT INTO campaign (key) VALUES ('spring')");
    conn = items_connect();
    add_line(items, &failed);
    items_add(items, &failed); /* a report by mail registers nothing */
    db_exec("INSERT INTO send (campaign_id, ref, recipient, message_id, sent_at) SELECT id,"
            " 'h' || 'x', 'other@there.example', 'z', now() FROM campaign WHERE key = 'spring'");
    result = items_write(conn, log_a, items);
    assert_int_equal(result.sends, 1);
    result = items_write(conn, log_a, items); /* a batch in doubt, given again */
    assert_int_equal(result.sends, 0);
    assert_int_equal(db_int("SELECT count(*) FROM send"), 2);
    assert_int_equal(db_int("SELECT sent FROM total_campaign"), 1);
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

static const struct store_log_message *message(const char *queue_id, const char *sender,
                                               const char *recipient)
{
    static struct store_log_message one;
    static struct store_log_waiting waiting;

    one = (struct store_log_message){.queue_id = dsnd_str_of(queue_id),
                                     .sender = dsnd_str_of(sender),
                                     .queued_us = ITEMS_NOON,
                                     .waiting = &waiting,
                                     .waiting_count = recipient != NULL,
                                     .waits_anew = true};
    waiting = (struct store_log_waiting){.recipient = dsnd_str_of(recipient),
                                         .diagnostic = DSND_STR("451 \001 later")};
    return &one;
}

static void write_changes(struct store_conn *conn, uint64_t sequence,
                          const struct store_log_changes *changes)
{
    struct store_policy policy = items_policy();
    struct store_batch_result result;
    struct store_journal_position position = {
        .journal_id = log_a, .sequence = sequence, .offset = sequence, .log = changes};

    if (store_write_batch(conn, &policy, &position, NULL, 0, &result))
        fail_msg("%s", store_conn_error(conn));
}

static void messages_in_the_queue_are_kept_with_the_position(void **state)
{
    const struct dsnd_str ids[] = {DSND_STR("Q1"), DSND_STR("Q2")};
    struct store_log_changes changes = {.set = message("Q1", "a@x.example", NULL), .set_count = 1};
    struct store_rows *rows = NULL;
    struct store_conn *conn;
    bool mine = false;

    (void)state;
    db_fresh();
    conn = items_connect();
    assert_int_equal(store_log_source(conn, DSND_STR("exim:x:/log"), &changes.source_id), DSND_OK);
    assert_int_equal(store_log_source(conn, DSND_STR("exim:x:/log"), &changes.source_id), DSND_OK);
    assert_int_equal(db_int("SELECT count(*) FROM log_source"), 1);
    assert_int_equal(store_log_lock(conn, changes.source_id, &mine), DSND_OK);
    assert_true(mine);
    write_changes(conn, 10, &changes);
    changes.set = message("Q1", "a@x.example", "ann@there.example");
    write_changes(conn, 10, &changes); /* stored already: nothing changes */
    assert_int_equal(db_int("SELECT count(*) FROM log_waiting"), 0);
    write_changes(conn, 20, &changes);
    assert_int_equal(store_log_find(conn, changes.source_id, ids, 2, &rows), DSND_OK);
    assert_int_equal(store_rows_count(rows), 1);
    assert_true(dsnd_str_eq(store_rows_value(rows, 0, STORE_LOG_MESSAGE_RECIPIENT),
                            DSND_STR("ann@there.example")));
    assert_int_equal(store_rows_int(rows, 0, STORE_LOG_MESSAGE_QUEUED_US), ITEMS_NOON);
    store_rows_free(rows);
    changes = (struct store_log_changes){
        .source_id = changes.source_id, .removed = ids, .removed_count = 2};
    write_changes(conn, 30, &changes);
    assert_int_equal(db_int("SELECT count(*) FROM log_message"), 0);
    assert_int_equal(db_int("SELECT sequence FROM journal_position"), 30);
    store_conn_free(conn);
}

static void a_source_is_read_by_one_at_a_time(void **state)
{
    struct store_conn *one;
    struct store_conn *two;
    bool mine = false;

    (void)state;
    db_fresh();
    one = items_connect();
    two = items_connect();
    assert_int_equal(store_log_lock(one, 1, &mine), DSND_OK);
    assert_true(mine);
    assert_int_equal(store_log_lock(two, 1, &mine), DSND_OK);
    assert_false(mine);
    assert_int_equal(store_log_lock(two, 2, &mine), DSND_OK);
    assert_true(mine);
    store_conn_free(one);
    store_conn_free(two);
}

static void erasure_reaches_the_queue(void **state)
{
    struct store_log_changes changes = {.source_id = 1, .set_count = 1};
    struct store_conn *conn;
    int64_t erased = 0;

    (void)state;
    db_fresh();
    conn = items_connect();
    changes.set = message("Q1", "a@x.example", "Ann@there.example");
    write_changes(conn, 10, &changes);
    changes.set = message("Q2", "a@x.example", "bob@there.example");
    write_changes(conn, 20, &changes);
    assert_int_equal(store_recipient_erase(conn, DSND_STR("ann@there.example"), &erased), DSND_OK);
    assert_int_equal(erased, 1);
    assert_string_equal(db_text("SELECT string_agg(queue_id, ' ') FROM log_message"), "Q2");
    store_conn_free(conn);
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

/* Line `n` of a log: a delay of a new message, or the failure of one that was delayed before. */
static void add_turn(struct items *items, int n)
{
    enum { BEHIND = 60 };
    bool delay = n % 2 == 0 || n < BEHIND;
    char *address = dsnd_arena_alloc(&items->arena, 64);
    struct store_item *item = &items->item[items->count];

    assert_true(snprintf(address, 64, "u%d@x.example", delay ? n : n - BEHIND - 1) > 0);
    items_add(items, &(struct item_spec){
                         .kind = REPORT_KIND_MTA_LOG,
                         .signed_campaign = n % 3 ? "one" : "two",
                         .signed_for = address,
                         .recipient = address,
                         .action = delay ? REPORT_ACTION_DELAYED : REPORT_ACTION_FAILED,
                         .klass = REPORT_CLASS_MAILBOX_FULL,
                     });
    item->registers = true;
    item->sent_us = item->received_us - ITEMS_HOUR;
}

static atomic_bool stop_tending;

/* What goes on beside the writers: delays are given up, people are erased. */
static void *tend(void *context)
{
    struct store_conn *conn = items_connect();
    unsigned *failures = context;

    while (!stop_tending)
        *failures += pg_run_text(conn, "SELECT delivery_expire(now(), now() + interval "
                                       "'10 years', 10)") != DSND_OK;
    store_conn_free(conn);
    return NULL;
}

static void *erase_people(void *context)
{
    struct store_conn *conn = items_connect();
    unsigned *failures = context;

    for (int n = 0; !stop_tending; n = (n + 1) % 400) {
        char address[64];
        int64_t erased = 0;

        if (snprintf(address, sizeof(address), "u%d@x.example", n) > 0)
            *failures += store_recipient_erase(conn, dsnd_str_of(address), &erased) != DSND_OK;
    }
    store_conn_free(conn);
    return NULL;
}

static void logs_maintenance_and_erasure_never_deadlock(void **state)
{
    struct writer writers[2] = {{log_a, items_new(), 0}, {journal_b, items_new(), 0}};
    unsigned failures[2] = {0};
    pthread_t threads[4];

    (void)state;
    db_fresh();
    stop_tending = false;
    for (int w = 0; w < 2; w++)
        for (int i = 0; i < 800; i++)
            add_turn(writers[w].items, i + 37 * w);
    assert_int_equal(pthread_create(&threads[2], NULL, tend, &failures[0]), 0);
    assert_int_equal(pthread_create(&threads[3], NULL, erase_people, &failures[1]), 0);
    for (int w = 0; w < 2; w++)
        assert_int_equal(pthread_create(&threads[w], NULL, write_many, &writers[w]), 0);
    for (int w = 0; w < 2; w++)
        assert_int_equal(pthread_join(threads[w], NULL), 0);
    stop_tending = true;
    for (int w = 2; w < 4; w++)
        assert_int_equal(pthread_join(threads[w], NULL), 0);
    assert_int_equal(writers[0].failures + writers[1].failures + failures[0] + failures[1], 0);
    assert_true(db_int("SELECT count(*) FROM send WHERE recipient IS NULL") > 0);
    assert_int_equal(db_int("SELECT deadlocks FROM pg_stat_database WHERE datname = "
                            "current_database()"),
                     0);
    items_check_totals();
    items_free(writers[0].items);
    items_free(writers[1].items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_registers_what_was_sent_once),
        cmocka_unit_test(in_band_and_out_of_band_are_one_delivery),
        cmocka_unit_test(an_own_ref_is_explained_by_the_log),
        cmocka_unit_test(the_first_line_of_a_batch_explains_a_ref),
        cmocka_unit_test(a_registered_ref_without_an_address_is_not_explained),
        cmocka_unit_test(a_line_of_another_address_proves_nothing_of_the_one),
        cmocka_unit_test(what_was_registered_before_stays),
        cmocka_unit_test(messages_in_the_queue_are_kept_with_the_position),
        cmocka_unit_test(a_source_is_read_by_one_at_a_time),
        cmocka_unit_test(erasure_reaches_the_queue),
        cmocka_unit_test(logs_maintenance_and_erasure_never_deadlock),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
