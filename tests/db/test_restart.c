/* PostgreSQL crashes and comes back while batches are written: each record once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/db.h"
#include "tests/support/items.h"

enum { MESSAGES = 4000, BATCH = 20, CRASHES = 4, TRIES_MAX = 100000 };

static const char journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static atomic_uint crashes;
static atomic_bool written;

static void *crash(void *context)
{
    (void)context;
    while (!written && crashes < CRASHES) {
        (void)usleep(250000);
        /* NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): the test's own script */
        if (system("\"$DSND_TEST_CLUSTER_TOOL\" kill \"$DSND_TEST_CLUSTER\" && "
                   "\"$DSND_TEST_CLUSTER_TOOL\" start \"$DSND_TEST_CLUSTER\" >/dev/null"))
            break;
        crashes++;
    }
    return NULL;
}

static void add_failures(struct items *items)
{
    for (int i = 0; i < MESSAGES; i++) {
        char *address = dsnd_arena_alloc(&items->arena, 64);

        assert_true(snprintf(address, 64, "user%d@example.net", i % 500) > 0);
        items_add(items, &(struct item_spec){.signed_campaign = i % 2 ? "one" : "two",
                                             .signed_for = address,
                                             .recipient = address,
                                             .action = REPORT_ACTION_FAILED,
                                             .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                             .permanence = REPORT_PERMANENCE_PERMANENT});
    }
}

/* As the pipeline does it: after any doubt, ask where to go on. */
static unsigned write_through(const struct items *items)
{
    struct store_journal_position position = {0};
    struct store_conn *conn = NULL;
    unsigned lost = 0;

    while (position.sequence < items->count) {
        struct store_batch_result result;
        enum dsnd_err err = DSND_OK;

        assert_true(lost < TRIES_MAX);
        if (!conn) {
            err = store_connect(db_url(), "writer", &conn);
            err = err ? err : store_position_get(conn, journal, &position);
        }
        if (!err && position.sequence < items->count)
            err = items_try(conn, journal, items->item + position.sequence, BATCH, &result);
        if (!err)
            err = store_position_get(conn, journal, &position);
        if (err) {
            lost++;
            store_conn_free(conn);
            conn = NULL;
            (void)usleep(10000);
        }
    }
    store_conn_free(conn);
    return lost;
}

static void crashes_lose_and_repeat_nothing(void **state)
{
    struct items *items = items_new();
    pthread_t crasher;
    unsigned lost;

    (void)state;
    db_fresh();
    add_failures(items);
    assert_int_equal(pthread_create(&crasher, NULL, crash, NULL), 0);
    lost = write_through(items);
    written = true;
    assert_int_equal(pthread_join(crasher, NULL), 0);
    assert_true(crashes > 0 && lost > 0);
    assert_int_equal(db_int("SELECT count(*) FROM report"), MESSAGES);
    assert_int_equal(db_int("SELECT count(DISTINCT sequence) FROM report"), MESSAGES);
    assert_int_equal(db_int("SELECT reports FROM journal_position"), MESSAGES);
    assert_int_equal(db_int("SELECT count(*) FROM suppression"), 500);
    assert_int_equal(db_int("SELECT count(*) FROM suppression_change"), 500);
    assert_int_equal(db_int("SELECT seq FROM suppression_clock"), 500);
    items_check_totals();
    items_free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(crashes_lose_and_repeat_nothing)};

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
