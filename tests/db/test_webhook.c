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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sender_at_a_time_works_for_an_endpoint),
        cmocka_unit_test(a_receipt_that_is_put_off_waits),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
