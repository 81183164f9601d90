/* Judging stored records again: in the end the database is what it would be had the new rules been
 * there from the start, whatever happened on the way. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/pg.h"
#include "store/reclassify.h"
#include "tests/support/db.h"
#include "tests/support/items.h"
#include "tests/support/saved.h"

static const char journal[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

enum { MESSAGES = 120 };

/* The same messages as the old and as the new rules see them, and as the old and new parser do. */
static struct items *before;
static struct items *after;

/* ---- messages ---- */

static uint64_t random_state = 88172645463325252u;

static uint32_t next_random(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state % below);
}

/* What rules can change. */
static void judge_random(struct item_spec *spec)
{
    static const enum report_class classes[] = {
        REPORT_CLASS_MAILBOX_UNKNOWN, REPORT_CLASS_MAILBOX_UNKNOWN, REPORT_CLASS_MAILBOX_INACTIVE,
        REPORT_CLASS_DOMAIN_INVALID,  REPORT_CLASS_MAILBOX_FULL,    REPORT_CLASS_MAILBOX_FULL,
        REPORT_CLASS_THROTTLED,       REPORT_CLASS_POLICY_REFUSED,  REPORT_CLASS_REPUTATION_BLOCK,
    };
    static const char *const providers[] = {"google", "yahoo", NULL};

    if (spec->kind == REPORT_KIND_ARF || spec->action == REPORT_ACTION_DELIVERED)
        return;
    spec->klass = classes[next_random(9)];
    spec->permanence = next_random(3) ? REPORT_PERMANENCE_PERMANENT : REPORT_PERMANENCE_TRANSIENT;
    spec->provider = providers[next_random(3)];
    spec->fault = next_random(2) ? REPORT_FAULT_RECIPIENT : REPORT_FAULT_SENDER;
}

static struct item_spec random_spec(int i)
{
    static const char *const people[] = {
        "a@x.example", "b@x.example", "c@x.example", "d@x.example", "e@x.example", "f@x.example",
        "g@x.example", "h@x.example", "i@x.example", "j@x.example", "k@x.example", "l@x.example",
        "m@x.example", "n@x.example", "o@x.example", "p@x.example", "q@x.example", "r@x.example",
        "s@x.example", "t@x.example", "u@x.example", "v@x.example", "w@x.example", "x@x.example",
        "y@x.example", "z@x.example", "1@x.example", "2@x.example", "3@x.example", "4@x.example",
    };
    static const char *const campaigns[] = {"one", "two", "three"};
    static const char *const refs[] = {"u-1", "u-2"};
    static const char *const texts[] = {"no such user", "user unknown here"};
    struct item_spec spec = {
        .signed_campaign = next_random(8) ? campaigns[next_random(3)] : NULL,
        .recipient = people[next_random(30)],
        .original = next_random(3) ? NULL : people[next_random(30)],
        .diagnostic = texts[next_random(2)],
        .us = ITEMS_NOON + INT64_C(60000000) * 40 * i,
        .body = i + 1,
    };
    uint32_t kind = next_random(10);

    if (spec.signed_campaign && next_random(4) == 0)
        spec.signed_ref = refs[next_random(2)];
    else
        spec.signed_for = next_random(4) ? spec.recipient : people[next_random(30)];
    spec.action = kind == 0   ? REPORT_ACTION_DELIVERED
                  : kind <= 2 ? REPORT_ACTION_DELAYED
                              : REPORT_ACTION_FAILED;
    if (next_random(12) == 0) {
        spec.kind = REPORT_KIND_ARF;
        spec.feedback = REPORT_FEEDBACK_ABUSE;
        spec.klass = REPORT_CLASS_COMPLAINT;
        spec.action = REPORT_ACTION_NONE;
    }
    judge_random(&spec);
    return spec;
}

static struct report *own_report(struct items *items, size_t i)
{
    struct report *report = dsnd_arena_alloc(&items->arena, sizeof(*report));

    assert_non_null(report);
    *report = *items->item[i].report;
    items->item[i].report = report;
    return report;
}

/* Another parser finds other things in the same octets. */
static void parse_random(struct items *items, struct item_spec *spec)
{
    struct report *report;

    if (next_random(3) == 0 && spec->kind != REPORT_KIND_ARF)
        spec->action = (enum report_action)(1 + next_random(4));
    if (next_random(5) == 0)
        spec->recipient = "later@x.example";
    items_add(items, spec);
    report = own_report(items, items->count - 1);
    if (next_random(4) || spec->kind == REPORT_KIND_ARF || items->count < 3)
        return;
    if (next_random(2)) {
        report->recipient_count = 0;
        return;
    }
    report->recipients = dsnd_arena_array(&items->arena, 2, sizeof(*report->recipients));
    report->recipients[0] = items->item[0].report->recipients[0];
    report->recipients[1] = items->item[1].report->recipients[0];
    report->recipient_count = 2;
}

static void mark_judged(struct items *items)
{
    for (size_t i = 0; i < items->count; i++)
        for (size_t r = 0; r < items->item[i].report->recipient_count; r++)
            items->item[i].report->recipients[r].rule = DSND_STR("rule-y");
}

static void make_messages(bool parsed)
{
    before = items_new();
    after = items_new();
    for (int i = 0; i < MESSAGES; i++) {
        struct item_spec spec = random_spec(i);

        items_add(before, &spec);
        if (next_random(3))
            judge_random(&spec);
        if (parsed)
            parse_random(after, &spec);
        else
            items_add(after, &spec);
    }
    mark_judged(after);
}

static void drop_messages(void)
{
    items_free(before);
    items_free(after);
}

/* One message a transaction, as they came. */
static void write_from(struct store_conn *conn, const struct items *items, size_t from, size_t to)
{
    struct store_policy policy = items_policy();

    if (items == after)
        policy.rules_version = DSND_STR("test-2");
    for (size_t i = from; i < to; i++) {
        struct store_journal_position position = {.journal_id = journal,
                                                  .sequence = items->item[i].sequence};
        struct store_batch_result result;

        if (store_write_batch(conn, &policy, &position, &items->item[i], 1, &result))
            fail_msg("%s", store_conn_error(conn));
    }
}

/* ---- runs ---- */

struct run {
    bool reparse;
    const char *rules; /* their version; "test-2" where absent */
    const char *campaign;
    int64_t from_us;
    int64_t to_us;
    void (*between)(void); /* called once, when the first suppressions are done */
    int judged;
    int kill_at; /* the judging, or below 0 the suppression, at which the process dies; 0 never */
    int changed;
    int resuppressed;
    int classes[REPORT_CLASS_COUNT][REPORT_CLASS_COUNT];
};

/* Messages are told by their texts: "body N". */
static const struct report *find_report(struct dsnd_str octets)
{
    size_t at = dsnd_str_find(octets, DSND_STR("body "));

    return after->item[strtol(octets.ptr + at + 5, NULL, 10) - 1].report;
}

static enum dsnd_err judge(void *context, struct dsnd_str octets, struct dsnd_arena *arena,
                           struct report *report)
{
    struct run *run = context;

    (void)arena;
    assert_int_equal(dsnd_str_present(octets), run->reparse);
    if (++run->judged == run->kill_at)
        (void)raise(SIGKILL);
    if (run->reparse)
        *report = *find_report(octets);
    return DSND_OK;
}

static void changed(void *context, const struct store_reclassified *change)
{
    struct run *run = context;

    run->changed++;
    if (change->before && change->after)
        run->classes[change->before->klass][change->after->klass]++;
}

static void suppressed(void *context, const struct store_resuppressed *change)
{
    struct run *run = context;

    (void)change;
    if (--run->resuppressed == run->kill_at)
        (void)raise(SIGKILL);
    if (run->between)
        run->between();
    run->between = NULL;
}

static bool progress(void *context, const struct store_reclassify_counts *counts)
{
    (void)context;
    (void)counts;
    return true;
}

/* Without raw messages judge gets the rows; what they are about tells the subject. */
static enum dsnd_err judge_rows(void *context, struct dsnd_str octets, struct dsnd_arena *arena,
                                struct report *report)
{
    struct run *run = context;
    const struct report_recipient *r;

    (void)octets;
    (void)arena;
    if (++run->judged == run->kill_at)
        (void)raise(SIGKILL);
    if (!report->recipient_count)
        return DSND_OK;
    r = &after->item[strtol(report->subject.ptr + 1, NULL, 10)].report->recipients[0];
    report->recipients[0].klass = r->klass;
    report->recipients[0].permanence = r->permanence;
    report->recipients[0].fault = r->fault;
    report->recipients[0].provider = r->provider;
    report->recipients[0].rule = r->rule;
    return DSND_OK;
}

static struct store_reclassify_counts reclassify(struct run *run, bool apply, int32_t batch)
{
    struct store_reclassify what = {
        .program = DSND_STR("test"),
        .campaign = dsnd_str_of(run->campaign),
        .from_us = run->from_us,
        .to_us = run->to_us,
        .reparse = run->reparse,
        .apply = apply,
        .batch = batch,
        .context = run,
        .judge = run->reparse ? judge : judge_rows,
        .changed = changed,
        .suppressed = suppressed,
        .progress = progress,
    };
    struct store_policy policy = items_policy();
    struct store_reclassify_counts counts;
    struct store_conn *conn = items_connect();
    enum dsnd_err err;

    policy.rules_version = dsnd_str_of(run->rules ? run->rules : "test-2");
    err = store_reclassify(conn, &policy, &what, &counts);
    if (err)
        fail_msg("%s: %s", dsnd_err_text(err), store_conn_error(conn));
    store_conn_free(conn);
    return counts;
}

static void name_messages(struct items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        struct report *report = own_report(items, i);
        char *name = dsnd_arena_alloc(&items->arena, 16);

        assert_true(snprintf(name, 16, "m%zu", i) > 0);
        report->subject = dsnd_str_of(name);
    }
}

/* What the new rules make of it from the start becomes `expected`; the old ones' is stored. */
static void prepare(bool parsed)
{
    struct store_conn *conn;

    make_messages(parsed);
    name_messages(before);
    name_messages(after);
    saved_empty();
    conn = items_connect();
    write_from(conn, after, 0, MESSAGES);
    saved_take("expected");
    saved_empty();
    store_conn_free(conn);
    conn = items_connect();
    write_from(conn, before, 0, MESSAGES);
    store_conn_free(conn);
}

static void check_a_run(bool reparse)
{
    struct run dry = {.reparse = reparse};
    struct run real = {.reparse = reparse};
    struct run again = {.reparse = reparse};
    struct store_reclassify_counts tried;
    struct store_reclassify_counts done;

    prepare(reparse);
    saved_take("kept");
    tried = reclassify(&dry, false, 50);
    saved_take("found");
    db_exec("ALTER SCHEMA expected RENAME TO wanted; ALTER SCHEMA kept RENAME TO expected");
    saved_compare("found"); /* a dry run changes nothing */
    db_exec("DROP SCHEMA expected CASCADE; ALTER SCHEMA wanted RENAME TO expected");
    done = reclassify(&real, true, 7);
    saved_check();
    assert_int_equal(done.reports, MESSAGES);
    assert_true(done.changed > MESSAGES / 4 && done.added + done.lifted > 0);
    assert_int_equal(tried.changed, done.changed);
    assert_int_equal(tried.added, done.added);
    assert_int_equal(tried.lifted, done.lifted);
    assert_int_equal(dry.changed, done.changed);
    assert_memory_equal(dry.classes, real.classes, sizeof(dry.classes));
    done = reclassify(&again, true, 1000);
    assert_false(done.resumed);
    assert_int_equal(done.changed + done.added + done.lifted, 0);
    saved_check();
    drop_messages();
}

static void other_rules_give_what_they_had_given_from_the_start(void **state)
{
    (void)state;
    db_fresh();
    check_a_run(false);
}

static void another_parser_gives_what_it_had_given_from_the_start(void **state)
{
    (void)state;
    db_fresh();
    check_a_run(true);
}

/* ---- cut off ---- */

/* PostgreSQL may take a moment to see that a run has gone, and to let go of its lock. */
static void await_unlocked(void)
{
    while (db_int("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
        (void)poll(NULL, 0, 20);
}

static void die(struct run run)
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        (void)reclassify(&run, true, 7);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    await_unlocked();
}

static void a_run_that_is_killed_goes_on(void **state)
{
    static const int places[] = {3, 30, 31, 40, -1};
    bool reparse = false;

    (void)state;
    db_fresh();
    prepare(reparse);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        die((struct run){.reparse = reparse, .kill_at = places[i]});
    {
        struct run run = {.reparse = reparse};
        struct store_reclassify_counts done = reclassify(&run, true, 7);

        assert_true(done.resumed);
        assert_int_equal(done.reports, MESSAGES);
    }
    saved_check();
    assert_int_equal(db_int("SELECT count(*) FROM reclassify_run WHERE finished_at IS NOT NULL"),
                     1);
    drop_messages();
}

/* What came after a run began is of it too where it goes on later. */
static void a_run_that_goes_on_takes_in_what_came_since(void **state)
{
    struct run run = {.reparse = false};
    struct store_conn *conn;
    struct store_reclassify_counts done;

    (void)state;
    db_fresh();
    make_messages(false);
    name_messages(before);
    name_messages(after);
    conn = items_connect();
    write_from(conn, before, 0, MESSAGES / 2);
    die((struct run){.kill_at = 30});
    write_from(conn, before, MESSAGES / 2, MESSAGES);
    done = reclassify(&run, true, 7);
    assert_true(done.resumed);
    assert_int_equal(done.reports, MESSAGES);
    assert_int_equal(db_int("SELECT count(*) FROM status WHERE rules_version <> 'test-2'"), 0);
    store_conn_free(conn);
    drop_messages();
}

/* A run that was cut off goes on only where no later one has judged the same records. */
static void a_run_that_others_followed_begins_anew(void **state)
{
    static const struct {
        struct run cut;
        struct run later;
        bool resumes;
    } rows[] = {
        {{.campaign = NULL}, {.rules = "test-3"}, false},
        {{.campaign = NULL}, {.rules = "test-3", .campaign = "two"}, false},
        {{.campaign = "one"}, {.rules = "test-3", .campaign = "two"}, true},
        {{.from_us = ITEMS_NOON}, {.rules = "test-3", .to_us = ITEMS_NOON + 1}, false},
        {{.from_us = ITEMS_NOON}, {.rules = "test-3", .to_us = ITEMS_NOON}, true},
    };

    (void)state;
    db_fresh();
    make_messages(false);
    name_messages(before);
    name_messages(after);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct run cut = rows[i].cut;
        struct run later = rows[i].later;
        struct run again = rows[i].cut;
        struct store_conn *conn;

        saved_empty();
        conn = items_connect();
        write_from(conn, before, 0, MESSAGES / 4);
        cut.kill_at = 2;
        die(cut);
        (void)reclassify(&later, true, 7);
        await_unlocked();
        if (reclassify(&again, true, 7).resumed != rows[i].resumes)
            fail_msg("row %zu", i);
        if (!again.campaign && !again.from_us && !again.to_us)
            assert_int_equal(db_int("SELECT count(*) FROM report WHERE rules_version <> 'test-2'"),
                             0);
        await_unlocked();
        store_conn_free(conn);
    }
    drop_messages();
}

/* ---- beside a writer ---- */

static void *write_rest(void *context)
{
    struct store_conn *conn = items_connect();

    (void)context;
    write_from(conn, after, MESSAGES / 2, MESSAGES);
    store_conn_free(conn);
    return NULL;
}

static void mail_comes_in_meanwhile(void **state)
{
    struct run run = {.reparse = false};
    struct store_conn *conn;
    pthread_t writer;

    (void)state;
    db_fresh();
    make_messages(false);
    name_messages(before);
    name_messages(after);
    conn = items_connect();
    write_from(conn, after, 0, MESSAGES);
    saved_take("expected");
    saved_empty();
    store_conn_free(conn);
    conn = items_connect();
    write_from(conn, before, 0, MESSAGES / 2);
    assert_int_equal(pthread_create(&writer, NULL, write_rest, NULL), 0);
    (void)reclassify(&run, true, 3);
    assert_int_equal(pthread_join(writer, NULL), 0);
    saved_check();
    store_conn_free(conn);
    drop_messages();
}

/* ---- beside an erasure ---- */

static pthread_t writer_beside;
static enum dsnd_err written_beside;

static int64_t waits_for_erasure(void)
{
    return db_int("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
}

static void *write_beside_erasure(void *context)
{
    struct store_policy policy = items_policy();
    struct store_journal_position position = {.journal_id = journal,
                                              .sequence = after->item[MESSAGES].sequence};
    struct store_conn *conn = items_connect();
    struct store_batch_result result;

    (void)context;
    while (!waits_for_erasure())
        (void)poll(NULL, 0, 20);
    written_beside = store_conn_limit(conn, 3000);
    if (!written_beside)
        written_beside =
            store_write_batch(conn, &policy, &position, &after->item[MESSAGES], 1, &result);
    db_exec("SELECT pg_advisory_unlock(4920143, 5)");
    store_conn_free(conn);
    return NULL;
}

static void begin_erasure(void)
{
    db_exec("SELECT pg_advisory_lock(4920143, 5)");
    assert_int_equal(pthread_create(&writer_beside, NULL, write_beside_erasure, NULL), 0);
}

/* Suppressions wait for an erasure, which may take minutes; mail does not wait for both. */
static void mail_is_stored_while_a_run_waits_for_an_erasure(void **state)
{
    struct run run = {.between = begin_erasure};
    struct item_spec spec;

    (void)state;
    db_fresh();
    prepare(false);
    spec = random_spec(MESSAGES);
    items_add(after, &spec);
    (void)reclassify(&run, true, 7);
    assert_null(run.between);
    assert_int_equal(pthread_join(writer_beside, NULL), 0);
    assert_int_equal(written_beside, DSND_OK);
    drop_messages();
}

/* ---- what people decided ---- */

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
    struct run run = {.reparse = false};
    struct store_conn *conn;

    (void)state;
    db_fresh();
    before = items_new();
    after = items_new();
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct item_spec spec = {.signed_campaign = "one",
                                 .signed_for = rows[i].address,
                                 .recipient = rows[i].address,
                                 .action = REPORT_ACTION_FAILED,
                                 .klass = rows[i].was,
                                 .permanence = REPORT_PERMANENCE_PERMANENT};

        items_add(before, &spec);
        spec.klass = rows[i].becomes;
        items_add(after, &spec);
    }
    name_messages(before);
    name_messages(after);
    conn = items_connect();
    write_from(conn, before, 0, before->count);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].by_hand)
            db_exec(rows[i].by_hand);
    (void)reclassify(&run, true, 100);
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
    drop_messages();
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
        struct run run = {.reparse = false};
        struct store_conn *conn;

        db_fresh();
        db_exec(threshold == 1 ? "UPDATE suppression_policy SET threshold = 1 WHERE class = 2"
                               : "SELECT 1");
        db_exec("INSERT INTO suppression_probation VALUES (sha256('a@x.example'), 2, "
                "now() - interval '41 days', now() + interval '1 day')");
        before = items_new();
        after = items_new();
        items_add(before, &relapse);
        items_add(after, &relapse);
        other.klass = REPORT_CLASS_MAILBOX_UNKNOWN;
        items_add(before, &other);
        other.klass = REPORT_CLASS_THROTTLED;
        items_add(after, &other);
        name_messages(before);
        name_messages(after);
        conn = items_connect();
        write_from(conn, before, 0, before->count);
        (void)reclassify(&run, true, 100);
        assert_int_equal(run.changed, 1);
        assert_string_equal(db_text("SELECT string_agg(class || ' ' || coalesce(expires_at::text, "
                                    "'lasts'), ',') FROM suppression"),
                            "2 lasts");
        store_conn_free(conn);
        drop_messages();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_rules_give_what_they_had_given_from_the_start),
        cmocka_unit_test(another_parser_gives_what_it_had_given_from_the_start),
        cmocka_unit_test(a_run_that_is_killed_goes_on),
        cmocka_unit_test(a_run_that_goes_on_takes_in_what_came_since),
        cmocka_unit_test(a_run_that_others_followed_begins_anew),
        cmocka_unit_test(mail_comes_in_meanwhile),
        cmocka_unit_test(mail_is_stored_while_a_run_waits_for_an_erasure),
        cmocka_unit_test(what_people_decided_stays),
        cmocka_unit_test(a_relapse_lasts),
    };

    return cmocka_run_group_tests_name("reclassify", tests, NULL, NULL);
}
