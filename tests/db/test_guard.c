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
static void refuse(struct run *run, int count, const char *text)
{
    for (int i = 0; i < count; i++, run->next++) {
        char *address = dsnd_arena_alloc(&run->items->arena, 64);
        char *diagnostic = dsnd_arena_alloc(&run->items->arena, 200);

        assert_true(snprintf(address, 64, "user%d@gmail.example", run->next) > 0);
        assert_true(snprintf(diagnostic, 200, "550-5.1.1 <%s> %s id%08x", address, text,
                             (unsigned)run->next) > 0);
        items_add(run->items, &(struct item_spec){.signed_campaign = "spring",
                                                  .signed_for = address,
                                                  .recipient = address,
                                                  .action = REPORT_ACTION_FAILED,
                                                  .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                                  .permanence = REPORT_PERMANENCE_PERMANENT,
                                                  .provider = "google",
                                                  .diagnostic = diagnostic});
    }
    (void)items_write(run->conn, journal, run->items);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_share_is_not_held),
        cmocka_unit_test(few_failures_are_not_held_whatever_their_share),
        cmocka_unit_test(different_texts_do_not_add_up),
        cmocka_unit_test(an_abnormal_share_is_held_with_what_came_before),
        cmocka_unit_test(what_is_released_suppresses),
        cmocka_unit_test(what_is_dropped_never_suppressed),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
