/* Judging stored records again: in the end the database is what it would be had the new rules been
 * there from the start, whatever happened on the way. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/rejudge.h"
#include "tests/support/saved.h"

static void check_a_run(bool reparse)
{
    struct rejudge dry = {.reparse = reparse};
    struct rejudge real = {.reparse = reparse};
    struct rejudge again = {.reparse = reparse};
    struct store_reclassify_counts tried;
    struct store_reclassify_counts done;

    rejudge_prepare(reparse);
    saved_take("kept");
    tried = rejudge_run(&dry, false, 50);
    saved_take("found");
    db_exec("ALTER SCHEMA expected RENAME TO wanted; ALTER SCHEMA kept RENAME TO expected");
    saved_compare("found"); /* a dry run changes nothing */
    db_exec("DROP SCHEMA expected CASCADE; ALTER SCHEMA wanted RENAME TO expected");
    done = rejudge_run(&real, true, 7);
    saved_check();
    assert_int_equal(done.reports, REJUDGE_MESSAGES);
    assert_true(done.changed > REJUDGE_MESSAGES / 4 && done.added + done.lifted > 0);
    assert_int_equal(tried.changed, done.changed);
    assert_int_equal(tried.added, done.added);
    assert_int_equal(tried.lifted, done.lifted);
    assert_int_equal(dry.changed, done.changed);
    assert_memory_equal(dry.classes, real.classes, sizeof(dry.classes));
    done = rejudge_run(&again, true, 1000);
    assert_false(done.resumed);
    assert_int_equal(done.changed + done.added + done.lifted, 0);
    saved_check();
    rejudge_drop();
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

static void die(struct rejudge run)
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        (void)rejudge_run(&run, true, 7);
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
    rejudge_prepare(reparse);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        die((struct rejudge){.reparse = reparse, .kill_at = places[i]});
    {
        struct rejudge run = {.reparse = reparse};
        struct store_reclassify_counts done = rejudge_run(&run, true, 7);

        assert_true(done.resumed);
        assert_int_equal(done.reports, REJUDGE_MESSAGES);
    }
    saved_check();
    assert_int_equal(db_int("SELECT count(*) FROM reclassify_run WHERE finished_at IS NOT NULL"),
                     1);
    rejudge_drop();
}

/* What came after a run began is of it too where it goes on later. */
static void a_run_that_goes_on_takes_in_what_came_since(void **state)
{
    struct rejudge run = {.reparse = false};
    struct store_conn *conn;
    struct store_reclassify_counts done;

    (void)state;
    db_fresh();
    rejudge_make(false);
    rejudge_name(rejudge_before);
    rejudge_name(rejudge_after);
    conn = items_connect();
    rejudge_write(conn, rejudge_before, 0, REJUDGE_MESSAGES / 2);
    die((struct rejudge){.kill_at = 30});
    rejudge_write(conn, rejudge_before, REJUDGE_MESSAGES / 2, REJUDGE_MESSAGES);
    done = rejudge_run(&run, true, 7);
    assert_true(done.resumed);
    assert_int_equal(done.reports, REJUDGE_MESSAGES);
    assert_int_equal(db_int("SELECT count(*) FROM status WHERE rules_version <> 'test-2'"), 0);
    store_conn_free(conn);
    rejudge_drop();
}

/* A run that was cut off goes on only where no later one has judged the same records. */
static void a_run_that_others_followed_begins_anew(void **state)
{
    static const struct {
        struct rejudge cut;
        struct rejudge later;
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
    rejudge_make(false);
    rejudge_name(rejudge_before);
    rejudge_name(rejudge_after);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct rejudge cut = rows[i].cut;
        struct rejudge later = rows[i].later;
        struct rejudge again = rows[i].cut;
        struct store_conn *conn;

        saved_empty();
        conn = items_connect();
        rejudge_write(conn, rejudge_before, 0, REJUDGE_MESSAGES / 4);
        cut.kill_at = 2;
        die(cut);
        (void)rejudge_run(&later, true, 7);
        await_unlocked();
        if (rejudge_run(&again, true, 7).resumed != rows[i].resumes)
            fail_msg("row %zu", i);
        if (!again.campaign && !again.from_us && !again.to_us)
            assert_int_equal(db_int("SELECT count(*) FROM report WHERE rules_version <> 'test-2'"),
                             0);
        await_unlocked();
        store_conn_free(conn);
    }
    rejudge_drop();
}

/* ---- beside a writer ---- */

static void *write_rest(void *context)
{
    struct store_conn *conn = items_connect();

    (void)context;
    rejudge_write(conn, rejudge_after, REJUDGE_MESSAGES / 2, REJUDGE_MESSAGES);
    store_conn_free(conn);
    return NULL;
}

static void mail_comes_in_meanwhile(void **state)
{
    struct rejudge run = {.reparse = false};
    struct store_conn *conn;
    pthread_t writer;

    (void)state;
    db_fresh();
    rejudge_make(false);
    rejudge_name(rejudge_before);
    rejudge_name(rejudge_after);
    conn = items_connect();
    rejudge_write(conn, rejudge_after, 0, REJUDGE_MESSAGES);
    saved_take("expected");
    saved_empty();
    store_conn_free(conn);
    conn = items_connect();
    rejudge_write(conn, rejudge_before, 0, REJUDGE_MESSAGES / 2);
    assert_int_equal(pthread_create(&writer, NULL, write_rest, NULL), 0);
    (void)rejudge_run(&run, true, 3);
    assert_int_equal(pthread_join(writer, NULL), 0);
    saved_check();
    store_conn_free(conn);
    rejudge_drop();
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
    struct store_journal_position position = {
        .journal_id = rejudge_journal, .sequence = rejudge_after->item[REJUDGE_MESSAGES].sequence};
    struct store_conn *conn = items_connect();
    struct store_batch_result result;

    (void)context;
    while (!waits_for_erasure())
        (void)poll(NULL, 0, 20);
    written_beside = store_conn_limit(conn, 3000);
    if (!written_beside)
        written_beside = store_write_batch(conn, &policy, &position,
                                           &rejudge_after->item[REJUDGE_MESSAGES], 1, &result);
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
    struct rejudge run = {.between = begin_erasure};
    struct item_spec spec;

    (void)state;
    db_fresh();
    rejudge_prepare(false);
    spec = rejudge_random(REJUDGE_MESSAGES);
    items_add(rejudge_after, &spec);
    (void)rejudge_run(&run, true, 7);
    assert_null(run.between);
    assert_int_equal(pthread_join(writer_beside, NULL), 0);
    assert_int_equal(written_beside, DSND_OK);
    rejudge_drop();
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
    };

    return cmocka_run_group_tests_name("reclassify", tests, NULL, NULL);
}
