#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/crc32c.h"
#include "ingest/journal_octets.h"
#include "ingest/journal_shared.h"
#include "tests/support/journal_kit.h"

enum { SEGMENT = 64 * 1024 };

static struct kit_dir dir;

static int setup(void **state)
{
    (void)state;
    kit_make(&dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_remove(&dir);
    return 0;
}

static void assert_found(const struct kit_found *found, unsigned from, unsigned to)
{
    assert_int_equal(found->count, to - from);
    for (size_t i = 0; i < found->count; i++)
        assert_int_equal(found->numbers[i], from + i);
    for (size_t i = 1; i < found->count; i++)
        assert_true(found->sequences[i] > found->sequences[i - 1]);
}

static void what_was_acknowledged_is_read_in_order(void **state)
{
    struct journal *journal = kit_open(&dir, SEGMENT, NULL);
    struct kit_found found;

    (void)state;
    assert_int_equal(kit_append_many(journal, 0, 100, 200), 100);
    kit_collect_dir(&dir, &found); /* while the writer lives */
    assert_found(&found, 0, 100);
    kit_found_done(&found);
    journal_close(journal);
    kit_collect_dir(&dir, &found); /* and after it */
    assert_found(&found, 0, 100);
    assert_int_equal(found.damaged_count, 0);
    kit_found_done(&found);
}

static void many_segments_read_as_one_journal(void **state)
{
    struct journal *journal = kit_open(&dir, 8192, NULL);
    struct kit_found found;

    (void)state;
    assert_int_equal(kit_append_many(journal, 0, 300, 500), 300);
    assert_true(kit_segments(&dir) >= 20);
    journal_close(journal);
    kit_collect_dir(&dir, &found);
    assert_found(&found, 0, 300);
    kit_found_done(&found);
}

static void record_larger_than_a_segment_gets_one_of_its_own(void **state)
{
    struct journal *journal = kit_open(&dir, 8192, NULL);
    struct kit_found found;

    (void)state;
    assert_int_equal(kit_append(journal, 0, 100), DSND_OK);
    assert_int_equal(kit_append(journal, 1, 100000), DSND_OK);
    assert_int_equal(kit_append(journal, 2, 100), DSND_OK);
    journal_close(journal);
    kit_collect_dir(&dir, &found);
    assert_found(&found, 0, 3);
    kit_found_done(&found);
}

static void reader_goes_on_where_it_was_confirmed(void **state)
{
    struct journal *journal = kit_open(&dir, 8192, NULL);
    struct journal_position position = {0, 0, 0};
    unsigned next = 0;

    (void)state;
    assert_int_equal(kit_append_many(journal, 0, 200, 300), 200);
    while (next < 200) {
        struct journal_reader *reader = NULL;

        assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
        assert_int_equal(journal_reader_seek(reader, &position), DSND_OK);
        for (int i = 0; i < 7 && next < 200; i++) {
            struct journal_record record;

            assert_int_equal(journal_reader_next(reader, &record), DSND_OK);
            assert_int_equal(kit_number(&record.message), next++);
            position = record.after;
            if (next % 3 == 0)
                position.segment = 0; /* a position without its hint must do */
        }
        journal_reader_close(reader);
    }
    journal_close(journal);
}

static void reader_and_writer_start_in_any_order(void **state)
{
    struct journal_reader *reader = NULL;
    struct journal_position start = {0, 0, 0};
    struct journal_record record;
    struct journal *journal;

    (void)state;
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    assert_int_equal(journal_reader_seek(reader, &start), DSND_OK);
    assert_int_equal(journal_reader_next(reader, &record), DSND_ERR_NOT_FOUND);
    journal_reader_wait(reader, 1);
    journal = kit_open(&dir, SEGMENT, NULL);
    assert_int_equal(journal_reader_next(reader, &record), DSND_ERR_NOT_FOUND);
    assert_int_equal(kit_append(journal, 5, 100), DSND_OK);
    journal_reader_wait(reader, 60000); /* returns at once: there is more */
    assert_int_equal(journal_reader_next(reader, &record), DSND_OK);
    assert_int_equal(kit_number(&record.message), 5);
    journal_close(journal);
    journal = kit_open(&dir, SEGMENT, NULL); /* the same reader follows the next writer */
    assert_int_equal(kit_append(journal, 6, 100), DSND_OK);
    assert_int_equal(journal_reader_next(reader, &record), DSND_OK);
    assert_int_equal(kit_number(&record.message), 6);
    assert_int_equal(journal_reader_next(reader, &record), DSND_ERR_NOT_FOUND);
    journal_close(journal);
    journal_reader_close(reader);
}

static void ignore(void *context, enum dsnd_err err, uint64_t sequence)
{
    (void)context;
    (void)err;
    (void)sequence;
}

static void envelope_comes_back_as_it_was(void **state)
{
    const struct journal_recipient recipients[] = {
        {DSND_STR("a@b.example"), DSND_STR("rfc822;a@b.example"),
         JOURNAL_NOTIFY_FAILURE | JOURNAL_NOTIFY_DELAY},
        {DSND_STR("postmaster"), DSND_STR_ABSENT, 0},
    };
    const struct journal_message message = {
        .received_us = INT64_C(1763895600123456),
        .source = JOURNAL_SOURCE_LMTP,
        .tls = true,
        .body_8bit = true,
        .ret = 2,
        .peer = DSND_STR("2001:db8::1"),
        .helo = DSND_STR(""),
        .mail_from = DSND_STR("x@y.example"),
        .envelope_id = DSND_STR_ABSENT,
        .recipients = recipients,
        .recipient_count = 2,
        .octets = DSND_STR("a\0b\r\n.\r\n"),
    };
    struct journal *journal = kit_open(&dir, SEGMENT, NULL);
    struct journal_reader *reader = NULL;
    struct journal_record record;

    (void)state;
    assert_int_equal(journal_append(journal, &message, ignore, NULL), DSND_OK);
    journal_close(journal);
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    assert_int_equal(journal_reader_next(reader, &record), DSND_OK);
    assert_int_equal(record.sequence, 1);
    assert_int_equal(record.message.received_us, message.received_us);
    assert_int_equal(record.message.source, message.source);
    assert_true(record.message.tls && record.message.body_8bit && !record.message.smtputf8);
    assert_int_equal(record.message.ret, 2);
    assert_true(dsnd_str_eq(record.message.peer, message.peer));
    assert_true(dsnd_str_eq(record.message.helo, message.helo));
    assert_true(dsnd_str_eq(record.message.mail_from, message.mail_from));
    assert_false(dsnd_str_present(record.message.envelope_id));
    assert_int_equal(record.message.recipient_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct journal_recipient *got = &record.message.recipients[i];

        assert_true(dsnd_str_eq(got->address, recipients[i].address));
        assert_true(dsnd_str_eq(got->original_recipient, recipients[i].original_recipient));
        assert_int_equal(got->notify, recipients[i].notify);
    }
    assert_true(dsnd_str_eq(record.message.octets, message.octets));
    journal_reader_close(reader);
}

static void second_writer_and_second_reader_are_refused(void **state)
{
    const struct journal_settings settings = {dir.dir, SEGMENT, 0};
    struct journal *journal = kit_open(&dir, SEGMENT, NULL);
    struct journal *other = NULL;
    struct journal_reader *reader = NULL;
    struct journal_reader *another = NULL;

    (void)state;
    assert_int_equal(journal_open(&settings, &other), DSND_ERR_CONFLICT);
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    assert_int_equal(journal_reader_open(dir.dir, &another), DSND_ERR_CONFLICT);
    journal_reader_close(reader);
    journal_close(journal);
    assert_int_equal(journal_open(&settings, &other), DSND_OK);
    journal_close(other);
}

static void newer_format_is_refused_and_left_alone(void **state)
{
    const struct journal_settings settings = {dir.dir, SEGMENT, 0};
    struct journal *journal = kit_open(&dir, SEGMENT, NULL);
    struct journal_reader *reader = NULL;
    char path[2 * KIT_PATH_SIZE];
    char name[64];
    size_t len;
    size_t len_after;
    char *octets;
    char *after;

    (void)state;
    assert_int_equal(kit_append(journal, 0, 100), DSND_OK);
    journal_close(journal);
    assert_true(kit_segment(&dir, 0, name));
    kit_path(&dir, name, path);
    octets = kit_read(path, &len);
    journal_put_u32(octets + 12, 2);
    journal_put_u32(octets + 8, crc32c(0, octets + 12, 52));
    kit_write(path, octets, len);
    assert_int_equal(journal_open(&settings, &journal), DSND_ERR_VERSION);
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_ERR_VERSION);
    after = kit_read(path, &len_after);
    assert_int_equal(len_after, len);
    assert_memory_equal(after, octets, len);
    free(after);
    free(octets);
}

static void stored_segments_are_deleted_when_old(void **state)
{
    struct journal *journal = kit_open(&dir, 8192, NULL);
    struct journal_reader *reader = NULL;
    struct kit_found found = {0};
    size_t segments;

    (void)state;
    assert_int_equal(kit_append_many(journal, 0, 100, 500), 100);
    segments = kit_segments(&dir);
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    kit_collect(reader, &found);
    /* Message n was received at 1000 + n microseconds. */
    assert_int_equal(journal_reader_applied(reader, &found.after, 1100, 1000), DSND_OK);
    /* The committer may make one ahead at any moment. */
    assert_in_range(kit_segments(&dir), segments, segments + 1);
    assert_int_equal(journal_reader_applied(reader, &found.after, 2050, 1000), DSND_OK);
    assert_in_range(kit_segments(&dir), segments / 2 - 2, segments / 2 + 3);
    assert_int_equal(journal_reader_applied(reader, &found.after, 99999, 1000), DSND_OK);
    assert_in_range(kit_segments(&dir), 1, 2); /* the last with records, and one made ahead */
    journal_reader_close(reader);
    journal_close(journal);
    kit_found_done(&found);
}

static void gap_before_the_oldest_kept_is_told(void **state)
{
    const struct journal_position start = {0, 0, 0};
    struct journal *journal = kit_open(&dir, 8192, NULL);
    struct journal_reader *reader = NULL;
    struct kit_found found = {0};
    struct kit_found rest = {0};

    (void)state;
    assert_int_equal(kit_append_many(journal, 0, 100, 500), 100);
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    kit_collect(reader, &found);
    assert_int_equal(journal_reader_applied(reader, &found.after, 99999, 0), DSND_OK);
    assert_int_equal(journal_reader_seek(reader, &found.after), DSND_OK);
    assert_int_equal(journal_reader_seek(reader, &start), DSND_ERR_NOT_FOUND);
    kit_collect(reader, &rest);
    assert_in_range(rest.count, 1, 99);
    assert_int_equal(rest.numbers[rest.count - 1], 99);
    journal_reader_close(reader);
    journal_close(journal);
    kit_found_done(&found);
    kit_found_done(&rest);
}

static void sequences_never_return_after_everything_was_deleted(void **state)
{
    struct journal_position position = {0, 0, 0};
    uint64_t last = 0;

    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        struct journal *journal = kit_open(&dir, 8192, NULL);
        struct journal_reader *reader = NULL;
        struct kit_found found = {0};
        char path[2 * KIT_PATH_SIZE];

        assert_int_equal(kit_append_many(journal, 0, 60, 500), 60);
        assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
        assert_int_equal(journal_reader_seek(reader, &position), DSND_OK);
        kit_collect(reader, &found);
        assert_int_equal(found.count, 60);
        assert_true(found.sequences[0] > last);
        last = found.sequences[59];
        position = found.after;
        assert_int_equal(journal_reader_applied(reader, &position, 99999, 0), DSND_OK);
        journal_reader_close(reader);
        journal_close(journal);
        kit_path(&dir, "journal.state", path);
        assert_int_equal(unlink(path), 0); /* as after the loss of power */
        kit_found_done(&found);
    }
    (void)state;
}

static void backlog_counts_what_is_not_stored(void **state)
{
    struct journal *journal = kit_open(&dir, 8192, NULL);
    struct journal_reader *reader = NULL;
    struct journal_record record;
    uint64_t all;
    uint64_t octets;
    int64_t oldest_us;

    (void)state;
    assert_int_equal(kit_append_many(journal, 0, 100, 500), 100);
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    journal_reader_backlog(reader, &all, &oldest_us);
    assert_in_range(all, 100 * 500, 100 * 700);
    assert_int_equal(oldest_us, 1000);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(journal_reader_next(reader, &record), DSND_OK);
        journal_reader_release(reader);
    }
    assert_int_equal(journal_reader_applied(reader, &record.after, 0, 0), DSND_OK);
    journal_reader_backlog(reader, &octets, &oldest_us);
    assert_int_equal(octets, all / 2);
    assert_int_equal(oldest_us, 1050);
    journal_reader_close(reader);
    journal_close(journal);
}

/* A process of its own dies with `sequence` marked, by its own fault or killed. */
static void die(uint64_t sequence, bool crashes)
{
    struct journal_reader *reader = NULL;
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (journal_reader_open(dir.dir, &reader) == DSND_OK) {
            journal_reader_mark(reader, 3, sequence);
            if (crashes)
                journal_reader_blame(reader);
        }
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* Who kills a process often enough hits the same record twice: that is not its fault. */
static void a_reader_that_is_killed_blames_a_record_late(void **state)
{
    struct journal_reader *reader = NULL;

    (void)state;
    for (unsigned kills = 0; kills < 2 * JOURNAL_KILLS_A_DEATH - 1; kills++)
        die(77, false);
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    assert_int_equal(journal_reader_deaths(reader, 77), 1);
    journal_reader_close(reader);
    die(77, true);
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    assert_int_equal(journal_reader_deaths(reader, 77), 2);
    journal_reader_close(reader);
}

static void a_reader_that_dies_on_a_record_is_remembered(void **state)
{
    struct journal_reader *reader = NULL;

    (void)state;
    for (unsigned deaths = 0; deaths < 3; deaths++)
        die(77, true);
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    assert_int_equal(journal_reader_deaths(reader, 77), 3);
    assert_int_equal(journal_reader_deaths(reader, 78), 0);
    assert_int_equal(journal_reader_deaths(reader, 0), 0);
    journal_reader_mark(reader, 0, 78);
    journal_reader_close(reader); /* closing is no death */
    assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
    assert_int_equal(journal_reader_deaths(reader, 78), 0);
    journal_reader_close(reader);
}

static void what_no_record_may_hold_is_refused(void **state)
{
    struct journal *journal = kit_open(&dir, SEGMENT, NULL);
    struct kit_message message;
    char *text = calloc(1, JOURNAL_PAYLOAD_MAX + 1);

    (void)state;
    assert_non_null(text);
    kit_message_init(&message, 0, 100);
    message.message.helo = (struct dsnd_str){text, JOURNAL_TEXT_MAX + 1};
    assert_int_equal(journal_append(journal, &message.message, ignore, NULL), DSND_ERR_LIMIT);
    message.message.helo.len = JOURNAL_TEXT_MAX;
    assert_int_equal(journal_append(journal, &message.message, ignore, NULL), DSND_OK);
    message.message.octets = (struct dsnd_str){text, JOURNAL_PAYLOAD_MAX};
    assert_int_equal(journal_append(journal, &message.message, ignore, NULL), DSND_ERR_LIMIT);
    message.message.recipient_count = JOURNAL_RECIPIENTS_MAX + 1;
    assert_int_equal(journal_append(journal, &message.message, ignore, NULL), DSND_ERR_LIMIT);
    kit_message_done(&message);
    free(text);
    journal_close(journal);
}

static void reserve_refuses_before_the_disk_does(void **state)
{
    const struct journal_settings settings = {dir.dir, SEGMENT, UINT64_MAX};
    struct journal *journal = NULL;

    (void)state;
    assert_int_equal(journal_open(&settings, &journal), DSND_OK);
    assert_false(journal_has_space(journal));
    assert_int_equal(kit_append(journal, 0, 100), DSND_ERR_LIMIT);
    journal_close(journal);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_was_acknowledged_is_read_in_order),
        T(many_segments_read_as_one_journal),
        T(record_larger_than_a_segment_gets_one_of_its_own),
        T(reader_goes_on_where_it_was_confirmed),
        T(reader_and_writer_start_in_any_order),
        T(envelope_comes_back_as_it_was),
        T(second_writer_and_second_reader_are_refused),
        T(newer_format_is_refused_and_left_alone),
        T(stored_segments_are_deleted_when_old),
        T(gap_before_the_oldest_kept_is_told),
        T(sequences_never_return_after_everything_was_deleted),
        T(backlog_counts_what_is_not_stored),
        T(a_reader_that_dies_on_a_record_is_remembered),
        T(a_reader_that_is_killed_blames_a_record_late),
        T(what_no_record_may_hold_is_refused),
        T(reserve_refuses_before_the_disk_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
