#include "tests/support/suppress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "store/query_suppression.h"
#include "tests/support/db.h"

const char suppress_journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

struct item_spec suppress_failure(const char *campaign, enum report_class klass)
{
    return (struct item_spec){
        .signed_campaign = campaign,
        .signed_for = "a@b.example",
        .recipient = "a@b.example",
        .action = REPORT_ACTION_FAILED,
        .klass = klass,
        .permanence = REPORT_PERMANENCE_PERMANENT,
    };
}

struct suppress suppress_begin(void)
{
    db_fresh();
    return (struct suppress){.items = items_new(), .conn = items_connect()};
}

void suppress_end(struct suppress *run)
{
    items_check_totals();
    assert_int_equal(db_int("SELECT count(*) - coalesce(max(seq), 0) FROM suppression_change"), 0);
    assert_int_equal(db_int("SELECT seq - (SELECT count(*) FROM suppression_change) "
                            "FROM suppression_clock"),
                     0);
    store_conn_free(run->conn);
    items_free(run->items);
}

void suppress_receive(struct suppress *run, struct item_spec spec)
{
    items_add(run->items, &spec);
    (void)items_write(run->conn, suppress_journal, run->items);
}

bool suppress_is_on(struct suppress *run, const char *address)
{
    struct dsnd_str view = dsnd_str_of(address);
    char text[STORE_TEXT_SIZE];
    struct store_rows *rows = NULL;
    bool yes;

    assert_int_equal(store_suppression_check(run->conn, &view, 1, &rows), DSND_OK);
    yes = dsnd_str_eq(store_rows_text(rows, 0, STORE_CHECK_SUPPRESSED, text), DSND_STR("true"));
    store_rows_free(rows);
    return yes;
}
