/* What is told to endpoints, and who tells it when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/query_receipt.h"
#include "store/query_webhook.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

enum { LEASE_MS = 30000, WAIT_MS = 30000 };

/* One endpoint that wants everything. */
static void add_endpoint(void)
{
    db_fresh();
    db_exec("INSERT INTO webhook (url, events, secret) VALUES ('https://x.example/', 511, 's')");
}

static void one_sender_at_a_time_works_for_an_endpoint(void **state)
{
    struct store_rows *claim = NULL;
    struct store_rows *other = NULL;
    struct store_conn *first;
    struct store_conn *second;

    (void)state;
    add_endpoint();
    db_exec("INSERT INTO webhook_outbox (webhook_id, event, body) VALUES (1, 'e', '{}')");
    first = items_connect();
    second = items_connect();
    assert_int_equal(store_webhook_claim(first, LEASE_MS, &claim), DSND_OK);
    assert_int_equal(store_webhook_claim(second, LEASE_MS, &other), DSND_ERR_NOT_FOUND);
    assert_int_equal(store_webhook_claim(first, LEASE_MS, &other), DSND_ERR_NOT_FOUND);
    assert_int_equal(db_int("SELECT round(extract(epoch FROM leased_until - now()) / 30)::int "
                            "FROM webhook"),
                     1);
    store_rows_free(claim);
    store_conn_free(first);
    store_conn_free(second);
}

static void a_receipt_that_is_put_off_waits(void **state)
{
    struct store_rows *row = NULL;
    struct store_conn *conn;
    int64_t id;

    (void)state;
    db_fresh();
    db_exec("INSERT INTO receipt (journal_id, sequence, recipient, message) "
            "VALUES (1, 1, 'a@x.example', 'm')");
    conn = items_connect();
    assert_int_equal(store_receipt_next(conn, &row), DSND_OK);
    id = store_rows_int(row, 0, STORE_RECEIPT_ID);
    store_rows_free(row);
    row = NULL;
    assert_int_equal(store_receipt_later(conn, id, WAIT_MS, DSND_STR("451")), DSND_OK);
    assert_int_equal(store_receipt_next(conn, &row), DSND_ERR_NOT_FOUND);
    assert_int_equal(db_int("SELECT round(extract(epoch FROM next_at - now()) / 30)::int "
                            "FROM receipt"),
                     1);
    store_conn_free(conn);
}

/* ---- what is told ---- */

static const char journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/* RFC 5965 section 7.3. */
static void feedback_is_told_as_a_complaint_where_it_is_one(void **state)
{
    static const struct {
        enum report_feedback feedback;
        bool is_told;
    } rows[] = {
        {REPORT_FEEDBACK_ABUSE, true},         {REPORT_FEEDBACK_FRAUD, true},
        {REPORT_FEEDBACK_OTHER, true},         {REPORT_FEEDBACK_OPT_OUT, true},
        {REPORT_FEEDBACK_VIRUS, false},        {REPORT_FEEDBACK_NOT_SPAM, false},
        {REPORT_FEEDBACK_AUTH_FAILURE, false},
    };
    struct store_conn *conn;

    (void)state;
    add_endpoint();
    conn = items_connect();
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct items *items = items_new();

        items->next_sequence = i + 1;
        db_exec("DELETE FROM webhook_outbox");
        items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                             .signed_for = "ann@there.example",
                                             .recipient = "ann@there.example",
                                             .kind = REPORT_KIND_ARF,
                                             .feedback = rows[i].feedback,
                                             .klass = REPORT_CLASS_COMPLAINT,
                                             .body = (int)i + 1});
        assert_int_equal(items_write(conn, journal, items).reports, 1);
        assert_int_equal(db_int("SELECT count(*) FROM webhook_outbox "
                                "WHERE body::json->>'type' = 'delivery.complained'"),
                         rows[i].is_told);
        items_free(items);
    }
    store_conn_free(conn);
}

static void write_one(struct store_conn *conn, struct items *items, enum report_action action,
                      int64_t us)
{
    items_add(items, &(struct item_spec){.signed_campaign = "spring",
                                         .signed_for = "ann@there.example",
                                         .recipient = "ann@there.example",
                                         .action = action,
                                         .us = us});
    if (conn) {
        (void)items_write(conn, journal, items);
        items->count = 0;
    }
}

/* A delay, and a delivery a hour later, in whatever order and in how many batches. */
static void every_delay_that_was_told_is_closed_once(void **state)
{
    static const struct {
        enum report_action first;
        bool is_one_batch;
    } rows[] = {
        {REPORT_ACTION_DELAYED, false},
        {REPORT_ACTION_DELAYED, true},
        {REPORT_ACTION_DELIVERED, false},
        {REPORT_ACTION_DELIVERED, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        bool forward = rows[i].first == REPORT_ACTION_DELAYED;
        struct items *items = items_new();
        struct store_conn *conn;

        add_endpoint();
        conn = items_connect();
        write_one(rows[i].is_one_batch ? NULL : conn, items, rows[i].first,
                  forward ? ITEMS_NOON : ITEMS_NOON + ITEMS_HOUR);
        write_one(conn, items, forward ? REPORT_ACTION_DELIVERED : REPORT_ACTION_DELAYED,
                  forward ? ITEMS_NOON + ITEMS_HOUR : ITEMS_NOON);
        assert_string_equal(db_text("SELECT string_agg(body::json->>'type', ' ' ORDER BY "
                                    "body::json->>'type') FROM webhook_outbox"),
                            "delay.closed delivery.delayed delivery.delivered");
        assert_string_equal(db_text("SELECT body::json->'data'->>'outcome' FROM webhook_outbox "
                                    "WHERE body::json->>'type' = 'delay.closed'"),
                            "delivered");
        store_conn_free(conn);
        items_free(items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sender_at_a_time_works_for_an_endpoint),
        cmocka_unit_test(a_receipt_that_is_put_off_waits),
        cmocka_unit_test(feedback_is_told_as_a_complaint_where_it_is_one),
        cmocka_unit_test(every_delay_that_was_told_is_closed_once),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
