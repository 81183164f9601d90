/* Erasure: no trace of the address, and yet the same counts and the same suppression. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/codes.h"
#include "store/query_suppression.h"
#include "tests/support/db.h"
#include "tests/support/items.h"

static const char journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static const char person[] = "Jane.Doe@b.example";

/* Rows of any table in which the address or its default ref stands, whatever the case. */
static int64_t traces(void)
{
    char ref[RETURN_PATH_REF_MAX + 1];
    char sql[512];

    assert_int_equal(return_path_default_ref(dsnd_str_of(person), ref), DSND_OK);
    assert_true(snprintf(sql, sizeof(sql),
                         "SELECT sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) "
                         "AS n FROM %%I t WHERE t::text ~* ''jane.doe|%s''', tablename), false, "
                         "true, '')))[1]::text::int) FROM pg_tables WHERE schemaname = 'public'",
                         ref) < (int)sizeof(sql));
    return db_int(sql);
}

static void fill(struct items *items, struct store_conn *conn)
{
    static const char *const campaigns[] = {"one", "two"};

    db_exec("INSERT INTO campaign (key) VALUES ('one') ON CONFLICT DO NOTHING; INSERT INTO send "
            "(campaign_id, ref, "
            "recipient, recipient_key, message_id, sent_at) SELECT id, 'u-1', "
            "'jane.doe@b.example', ('x' || left(encode(sha256('jane.doe@b.example'), 'hex'), "
            "16))::bit(64)::bigint, 'jane.doe-1@sender', now() FROM campaign WHERE key = 'one' ON "
            "CONFLICT DO NOTHING");
    for (int i = 0; i < 2; i++)
        items_add(items, &(struct item_spec){.signed_campaign = campaigns[i],
                                             .signed_for = "jane.doe@b.example",
                                             .recipient = person,
                                             .original = person,
                                             .final_recipient = "Jane.Doe@b.example",
                                             .returned_to = person,
                                             .diagnostic = "550 <jane.doe@b.example> unknown",
                                             .action = REPORT_ACTION_FAILED,
                                             .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                             .permanence = REPORT_PERMANENCE_PERMANENT});
    items_add(items, &(struct item_spec){.signed_campaign = "one",
                                         .signed_for = "john@b.example",
                                         .recipient = "john@b.example",
                                         .action = REPORT_ACTION_FAILED,
                                         .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                         .permanence = REPORT_PERMANENCE_PERMANENT});
    (void)items_write(conn, journal, items);
}

static bool suppressed(struct store_conn *conn, const char *address)
{
    struct dsnd_str view = dsnd_str_of(address);
    char text[STORE_TEXT_SIZE];
    struct store_rows *rows = NULL;
    bool yes;

    assert_int_equal(store_suppression_check(conn, &view, 1, &rows), DSND_OK);
    yes = dsnd_str_eq(store_rows_text(rows, 0, STORE_CHECK_SUPPRESSED, text), DSND_STR("true"));
    store_rows_free(rows);
    return yes;
}

/* Whatever else may name a person. */
static void fill_the_rest(struct items *items, struct store_conn *conn)
{
    static char octets[] = "Subject: x\r\n\r\nmail for <JANE.doe@B.example> and others\r\n";
    struct store_item *item;

    items->count = 0;
    /* An answer of her own, which names no recipient. */
    items_add(items, &(struct item_spec){.kind = REPORT_KIND_AUTO_REPLY,
                                         .subject = "Re: jane.doe@b.example is away",
                                         .no_recipients = true});
    /* Somebody else's record whose text names her; and nobody's record of mail to her. */
    items_add(items, &(struct item_spec){.signed_campaign = "two",
                                         .signed_for = "john@b.example",
                                         .recipient = "john@b.example",
                                         .diagnostic = "550 forwarded to Jane.Doe@B.EXAMPLE.",
                                         .action = REPORT_ACTION_DELAYED});
    items_add(items, &(struct item_spec){.recipient = "list@c.example",
                                         .returned_to = person,
                                         .envelope_id = "for-jane.doe=b.example",
                                         .action = REPORT_ACTION_DELAYED});
    /* Another address that holds hers stays. */
    items_add(items, &(struct item_spec){.recipient = "mary-jane.doe@b.example.org",
                                         .diagnostic = "550 mary-jane.doe@b.example.org full",
                                         .action = REPORT_ACTION_DELAYED});
    items_add(items, &(struct item_spec){.recipient = "q@c.example"});
    item = &items->item[items->count - 1];
    item->quarantine = STORE_QUARANTINE_TOO_LARGE;
    item->octets = dsnd_str_of(octets);
    (void)items_write(conn, journal, items);
    db_exec(
        "INSERT INTO webhook (url, events, secret) VALUES ('https://x.example', 511, 'whsec_');"
        "INSERT INTO webhook_outbox (webhook_id, event, body) SELECT id, 'e', "
        "'{\"recipient\":\"Jane.Doe@b.example\"}' FROM webhook;"
        "INSERT INTO webhook_delivery (webhook_id, attempt, message, events, octets, duration_ms) "
        "SELECT id, 1, 'm', ARRAY['status_1', 'delay_1_' || (SELECT ref FROM delivery d WHERE "
        "d.ref <> 'u-1' AND EXISTS (SELECT FROM status s WHERE s.ref = d.ref AND s.recipient ~* "
        "'^jane') LIMIT 1) || '_3'], 1, 1 FROM webhook;"
        "INSERT INTO webhook_dead (webhook_id, seq, at, event, body) SELECT id, 1, now(), 'e', "
        "'{\"recipient\":\"jane.doe@b.example\"}' FROM webhook;"
        "INSERT INTO idempotency (token_id, key, request_hash, body) VALUES (1, 'k', 'x', "
        "'jane.DOE@b.example');"
        "INSERT INTO suppression (address_hash, address, source, note) VALUES "
        "(sha256('m@b.example'), 'm@b.example', 2, 'wife of jane.doe@b.example');"
        "INSERT INTO log_message (source_id, queue_id, sender) VALUES (1, 'Q1', ''), (1, 'Q2', '');"
        "INSERT INTO log_waiting (source_id, queue_id, recipient, diagnostic) VALUES "
        "(1, 'Q1', 'Jane.Doe@b.example', NULL), (1, 'Q2', 'x', 'no jane.doe@B.example');"
        "INSERT INTO receipt (journal_id, sequence, recipient, message) VALUES "
        "(1, 1, 'jane.doe@b.example', 'To: jane.doe@b.example')");
}

/* A dump of the whole database names her nowhere, in any case. */
static void check_dump(void)
{
    char ref[RETURN_PATH_REF_MAX + 1];
    char command[1024];
    char line[1 << 16];
    FILE *dump;
    bool whole = false;

    assert_int_equal(return_path_default_ref(dsnd_str_of("jane.doe@b.example"), ref), DSND_OK);
    assert_true(snprintf(command, sizeof(command), "pg_dump '%s'", db_url()) <
                (int)sizeof(command));
    dump = popen(command, "r");
    assert_non_null(dump);
    while (fgets(line, sizeof(line), dump)) {
        struct dsnd_str text = dsnd_str_of(line);
        size_t at = dsnd_str_ifind(text, DSND_STR("jane.doe"));

        /* mary- and her own domain are somebody else's. */
        if ((at != SIZE_MAX && (at < 5 || strncmp(line + at - 5, "mary-", 5) != 0)) ||
            dsnd_str_find(text, dsnd_str_of(ref)) != SIZE_MAX)
            fail_msg("%s", line);
        whole |= dsnd_str_starts(text, DSND_STR("-- PostgreSQL database dump complete"));
    }
    assert_int_equal(pclose(dump), 0);
    assert_true(whole);
}

static void a_dump_of_the_database_does_not_name_the_person(void **state)
{
    struct items *items = items_new();
    struct store_conn *conn;
    int64_t erased = 0;

    (void)state;
    db_fresh();
    conn = items_connect();
    fill(items, conn);
    fill_the_rest(items, conn);
    assert_int_equal(db_int("SELECT count(*) FROM quarantine"), 1);
    assert_int_equal(store_recipient_erase(conn, dsnd_str_of("jane.doe@b.EXAMPLE"), &erased),
                     DSND_OK);
    check_dump();
    assert_string_equal(db_text("SELECT array_to_string(events, ' ') FROM webhook_delivery"),
                        "status_1 erased");
    assert_int_equal(db_int("SELECT count(*) FROM erasure"), 0);
    assert_int_equal(db_int("SELECT count(*) FROM quarantine"), 0);
    assert_int_equal(db_int("SELECT count(*) FROM status WHERE recipient = "
                            "'mary-jane.doe@b.example.org' AND diagnostic IS NOT NULL"),
                     1);
    assert_int_equal(db_int("SELECT count(*) FROM report_raw"), 2); /* john's own, and hers */
    /* One of john's names her in its text, which goes; whom it is about and its proof stay. */
    assert_int_equal(db_int("SELECT count(*) FROM status WHERE recipient = 'john@b.example' AND "
                            "proven_recipient = recipient AND rules_version <> 'erased'"),
                     2);
    items_check_totals();
    assert_true(suppressed(conn, person));
    assert_true(suppressed(conn, "m@b.example"));
    store_conn_free(conn);
    items_free(items);
}

/* As URLs, xtext and quoted-printable write it; in texts, and in what was set aside. */
static void the_address_goes_in_whatever_form(void **state)
{
    static const char *const forms[] = {
        "550 see https://x.example/?to=tag+jane%40b.example&x",
        "550 for rfc822;tag+2Bjane@b.example here",
        "550 for rfc822;TAG+2bjane+40b.example",
        "a href=3D\"https://x.example/?to=3Dtag+jane=40b.exa=\r\nmple\"",
        "550 gave up on <tag=2Bjane=b.example@lists.example>",
        "550 see https://x.example/?%3Ctag%2Bjane%40b.example%3E",
    };
    static const char *const others[] = {"550 no mytag+jane%40b.example",
                                         "550 tag+jane+40b.example2"};
    struct items *items = items_new();
    struct store_conn *conn;
    int64_t erased = 0;

    (void)state;
    db_fresh();
    conn = items_connect();
    for (size_t i = 0; i < 8; i++) {
        const char *text = i < 6 ? forms[i] : others[i - 6];

        items_add(items, &(struct item_spec){.recipient = "q@c.example"});
        items->item[items->count - 1].quarantine = STORE_QUARANTINE_TOO_LARGE;
        items->item[items->count - 1].octets = dsnd_str_make((char *)(uintptr_t)text, strlen(text));
        /* Lines end in messages alone. */
        items_add(items, &(struct item_spec){.signed_campaign = "one",
                                             .signed_for = "john@b.example",
                                             .recipient = "john@b.example",
                                             .diagnostic = strchr(text, '\n') ? forms[0] : text,
                                             .action = REPORT_ACTION_DELAYED});
    }
    (void)items_write(conn, journal, items);
    assert_int_equal(db_int("SELECT count(*) FROM quarantine"), 8);
    assert_int_equal(store_recipient_erase(conn, dsnd_str_of("Tag+jane@b.example"), &erased),
                     DSND_OK);
    assert_int_equal(db_int("SELECT count(*) FROM quarantine"), 2);
    assert_string_equal(db_text("SELECT string_agg(diagnostic, '; ' ORDER BY id) FROM status"),
                        "550 no mytag+jane%40b.example; 550 tag+jane+40b.example2");
    store_conn_free(conn);
    items_free(items);
}

static void nothing_names_the_person_and_the_suppression_holds(void **state)
{
    struct items *items = items_new();
    struct store_conn *conn;
    struct store_rows *rows = NULL;
    int64_t erased = 0;

    (void)state;
    db_fresh();
    conn = items_connect();
    fill(items, conn);
    assert_true(traces() >= 8);
    assert_int_equal(store_recipient_erase(conn, dsnd_str_of(person), &erased), DSND_OK);
    assert_int_equal(erased, 2 + 1 + 2 + 1); /* records, send, deliveries, suppression */
    assert_int_equal(traces(), 0);
    assert_int_equal(db_int("SELECT count(*) FROM report_raw"), 1);
    assert_int_equal(db_int("SELECT count(*) FROM status WHERE class = 1"), 3);
    assert_int_equal(db_int("SELECT sum(failed) FROM total_campaign"), 3);
    items_check_totals();
    assert_true(suppressed(conn, person));
    assert_true(suppressed(conn, "john@b.example"));
    assert_int_equal(store_suppression_get(conn, dsnd_str_of(person), &rows), DSND_OK);
    assert_false(dsnd_str_present(store_rows_value(rows, 0, STORE_SUPPRESSION_ADDRESS)));
    store_rows_free(rows);
    assert_int_equal(db_int("SELECT seq FROM suppression_change WHERE op = 4 AND address IS NULL"),
                     3);
    /* Again: there is nothing left to erase. */
    assert_int_equal(store_recipient_erase(conn, dsnd_str_of(person), &erased), DSND_OK);
    assert_int_equal(erased, 0);
    /* The person comes back. */
    assert_int_equal(
        store_suppression_lift(conn, dsnd_str_of(person), STORE_SUPPRESSION_API, DSND_STR_ABSENT),
        DSND_OK);
    assert_false(suppressed(conn, person));
    store_conn_free(conn);
    items_free(items);
}

/* Mirrors need the hash of the address once; who guesses the address finds it no longer than that.
 */
static void the_hash_of_the_address_ends_after_a_month(void **state)
{
    static const char named[] =
        "SELECT count(*) FROM suppression_change WHERE address_hash = sha256('jane.doe@b.example')";
    const struct store_retention keep = {0};
    struct items *items = items_new();
    struct store_conn *conn;
    int64_t now_us = dsnd_clock_now_us();
    int64_t erased = 0;

    (void)state;
    db_fresh();
    conn = items_connect();
    fill(items, conn);
    /* Twice: the second time changes nothing of what mirrors have to hear of. */
    for (int i = 0; i < 2; i++)
        assert_int_equal(store_recipient_erase(conn, dsnd_str_of(person), &erased), DSND_OK);
    assert_int_equal(db_int(named), 1);
    assert_int_equal(store_maintain(conn, &keep, now_us + 29 * DSND_US_PER_DAY), DSND_OK);
    assert_int_equal(db_int(named), 1);
    assert_int_equal(store_maintain(conn, &keep, now_us + 31 * DSND_US_PER_DAY), DSND_OK);
    assert_int_equal(db_int(named), 0);
    assert_int_equal(db_int("SELECT count(DISTINCT address_hash) FROM suppression_change WHERE "
                            "address_hash = erased_hash(sha256('jane.doe@b.example')) AND seq = 3"),
                     1);
    assert_true(suppressed(conn, person));
    store_conn_free(conn);
    items_free(items);
}

static void a_later_report_does_not_bring_the_address_back_to_the_list(void **state)
{
    struct items *items = items_new();
    struct store_conn *conn;
    int64_t erased = 0;

    (void)state;
    db_fresh();
    conn = items_connect();
    fill(items, conn);
    assert_int_equal(store_recipient_erase(conn, dsnd_str_of(person), &erased), DSND_OK);
    items->count = 0;
    fill(items, conn);
    assert_int_equal(db_int("SELECT count(*) FROM suppression WHERE address ~* 'jane'"), 0);
    assert_true(suppressed(conn, person));
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

static void *erase(void *context)
{
    struct store_conn *conn = items_connect();
    enum dsnd_err *err = context;
    int64_t erased = 0;

    *err = store_recipient_erase(conn, dsnd_str_of(person), &erased);
    store_conn_free(conn);
    return NULL;
}

/* A search stands at a row that is locked: the rows that writers need are free all the same. */
static void writers_do_not_wait_for_searches(void **state)
{
    struct items *items = items_new();
    enum dsnd_err err = DSND_ERR_UNAVAILABLE;
    struct store_conn *conn;
    pthread_t thread;

    (void)state;
    db_fresh();
    conn = items_connect();
    fill(items, conn);
    fill_the_rest(items, conn);
    db_exec("BEGIN; SELECT FROM webhook_outbox FOR UPDATE");
    assert_int_equal(pthread_create(&thread, NULL, erase, &err), 0);
    while (!db_int("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        (void)usleep(1000);
    assert_int_equal(db_int("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                            "AND classid = 4920143"),
                     0);
    items->count = 0;
    items_add(items, &(struct item_spec){.signed_campaign = "one",
                                         .signed_for = "eve@b.example",
                                         .recipient = "eve@b.example",
                                         .action = REPORT_ACTION_FAILED,
                                         .klass = REPORT_CLASS_MAILBOX_UNKNOWN,
                                         .permanence = REPORT_PERMANENCE_PERMANENT});
    (void)items_write(conn, journal, items);
    assert_true(suppressed(conn, "eve@b.example"));
    db_exec("ROLLBACK");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(err, DSND_OK);
    check_dump();
    items_check_totals();
    store_conn_free(conn);
    items_free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_names_the_person_and_the_suppression_holds),
        cmocka_unit_test(the_address_goes_in_whatever_form),
        cmocka_unit_test(the_hash_of_the_address_ends_after_a_month),
        cmocka_unit_test(a_dump_of_the_database_does_not_name_the_person),
        cmocka_unit_test(a_later_report_does_not_bring_the_address_back_to_the_list),
        cmocka_unit_test(writers_do_not_wait_for_searches),
    };

    (void)db_url();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
