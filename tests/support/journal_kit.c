#include "tests/support/journal_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "ingest/journal_open.h"

void kit_make(struct kit_dir *self)
{
    const char *base = getenv("TMPDIR");
    int len =
        snprintf(self->root, sizeof(self->root), "%s/dsnd-journal-XXXXXX", base ? base : "/tmp");

    assert_true(len > 0 && (size_t)len < sizeof(self->root));
    assert_non_null(mkdtemp(self->root));
    len = snprintf(self->dir, sizeof(self->dir), "%s/j", self->root);
    assert_true(len > 0 && (size_t)len < sizeof(self->dir));
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

void kit_remove(struct kit_dir *self)
{
    assert_int_equal(nftw(self->root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void kit_path(const struct kit_dir *self, const char *name, char ret_path[2 * KIT_PATH_SIZE])
{
    int len = snprintf(ret_path, 2 * KIT_PATH_SIZE, "%s/%s", self->dir, name);

    assert_true(len > 0 && len < 2 * KIT_PATH_SIZE);
}

static int is_segment(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 4 && strcmp(entry->d_name + len - 4, ".seg") == 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

bool kit_segment(const struct kit_dir *self, size_t index, char ret_name[64])
{
    struct dirent **names = NULL;
    int count = scandir(self->dir, &names, is_segment, alphasort);
    bool there;

    assert_true(count >= 0);
    there = index < (size_t)count;
    if (there)
        assert_true(snprintf(ret_name, 64, "%.60s", names[(size_t)count - 1 - index]->d_name) > 0);
    free_names(names, count);
    return there;
}

size_t kit_segments(const struct kit_dir *self)
{
    struct dirent **names = NULL;
    int count = scandir(self->dir, &names, is_segment, alphasort);

    assert_true(count >= 0);
    free_names(names, count);
    return (size_t)count;
}

size_t kit_set_aside(const struct kit_dir *self)
{
    char path[2 * KIT_PATH_SIZE];
    struct dirent **names = NULL;
    int count;

    kit_path(self, "corrupt", path);
    count = scandir(path, &names, is_visible, alphasort);
    if (count < 0)
        return 0;
    free_names(names, count);
    return (size_t)count;
}

char *kit_read(const char *path, size_t *ret_len)
{
    int fd = open(path, O_RDONLY);
    struct stat stat;
    char *octets;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &stat), 0);
    octets = malloc((size_t)stat.st_size + 1);
    assert_non_null(octets);
    assert_int_equal(read(fd, octets, (size_t)stat.st_size), stat.st_size);
    assert_int_equal(close(fd), 0);
    *ret_len = (size_t)stat.st_size;
    return octets;
}

void kit_write(const char *path, const char *octets, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, octets, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
}

void kit_message_init(struct kit_message *self, unsigned n, size_t octets)
{
    int len;

    if (octets < 32)
        octets = 32;
    memset(self, 0, sizeof(*self));
    self->text = malloc(octets + 1);
    assert_non_null(self->text);
    memset(self->text, 'a' + (int)(n % 26), octets);
    len = snprintf(self->text, octets, "Message-ID: %u\r\n", n);
    self->text[len] = (char)('a' + (int)(n % 26));
    self->text[octets] = '\0';
    assert_true(snprintf(self->address, sizeof(self->address), "u%u@example.com", n) > 0);
    self->recipient.address = dsnd_str_of(self->address);
    self->message = (struct journal_message){
        .received_us = 1000 + (int64_t)n,
        .source = JOURNAL_SOURCE_SMTP,
        .peer = DSND_STR("192.0.2.7"),
        .helo = DSND_STR("mx.example.net"),
        .mail_from = DSND_STR(""),
        .recipients = &self->recipient,
        .recipient_count = 1,
        .octets = {self->text, octets},
    };
}

void kit_message_done(struct kit_message *self)
{
    free(self->text);
}

long kit_number(const struct journal_message *message)
{
    struct kit_message want;
    unsigned n = 0;
    bool same;

    if (message->octets.len < 16 || message->octets.len > 1000000 ||
        !dsnd_str_starts(message->octets, DSND_STR("Message-ID: ")))
        return -1;
    n = (unsigned)strtoul(message->octets.ptr + 12, NULL, 10);
    kit_message_init(&want, n, message->octets.len);
    same = dsnd_str_eq(message->octets, want.message.octets) && message->recipient_count == 1 &&
           dsnd_str_eq(message->recipients[0].address, want.recipient.address) &&
           dsnd_str_eq(message->mail_from, want.message.mail_from) &&
           message->received_us == want.message.received_us;
    kit_message_done(&want);
    return same ? (long)n : -1;
}

struct journal *kit_open(const struct kit_dir *dir, uint64_t segment_octets,
                         const struct journal_files *files)
{
    const struct journal_settings settings = {
        .dir = dir->dir,
        .segment_octets = segment_octets,
        .min_free_octets = 0,
    };
    struct journal *journal = NULL;

    assert_int_equal(journal_open_with(&settings, files ? files : &journal_files_system, &journal),
                     DSND_OK);
    return journal;
}

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t done;
    size_t pending;
    size_t good;
    enum dsnd_err last;
};

static void on_done(void *context, enum dsnd_err err, uint64_t sequence)
{
    struct waiting *waiting = context;

    (void)pthread_mutex_lock(&waiting->mutex);
    waiting->pending--;
    waiting->good += err == DSND_OK && sequence != 0;
    waiting->last = err;
    (void)pthread_cond_signal(&waiting->done);
    (void)pthread_mutex_unlock(&waiting->mutex);
}

static void append_range(struct journal *journal, unsigned from, unsigned to, size_t octets,
                         struct waiting *waiting)
{
    for (unsigned n = from; n < to; n++) {
        struct kit_message message;
        enum dsnd_err err;

        kit_message_init(&message, n, octets);
        (void)pthread_mutex_lock(&waiting->mutex);
        waiting->pending++;
        (void)pthread_mutex_unlock(&waiting->mutex);
        err = journal_append(journal, &message.message, on_done, waiting);
        if (err) {
            on_done(waiting, err, 0);
            waiting->last = err;
        }
        kit_message_done(&message);
    }
    (void)pthread_mutex_lock(&waiting->mutex);
    while (waiting->pending)
        (void)pthread_cond_wait(&waiting->done, &waiting->mutex);
    (void)pthread_mutex_unlock(&waiting->mutex);
}

enum dsnd_err kit_append(struct journal *journal, unsigned n, size_t octets)
{
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, DSND_OK};

    append_range(journal, n, n + 1, octets, &waiting);
    return waiting.last;
}

size_t kit_append_many(struct journal *journal, unsigned from, unsigned to, size_t octets)
{
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, DSND_OK};

    append_range(journal, from, to, octets, &waiting);
    return waiting.good;
}

static void *grow(void *array, size_t count, size_t size)
{
    void *more = reallocarray(array, count + 1, size);

    assert_non_null(more);
    return more;
}

void kit_collect(struct journal_reader *reader, struct kit_found *found)
{
    for (;;) {
        struct journal_record record;
        enum dsnd_err err = journal_reader_next(reader, &record);

        if (err == DSND_ERR_NOT_FOUND)
            break;
        if (err == DSND_ERR_CORRUPT) {
            found->damaged = grow(found->damaged, found->damaged_count, sizeof(*found->damaged));
            found->damaged[found->damaged_count++] = record.sequence;
        } else {
            assert_int_equal(err, DSND_OK);
            found->numbers = grow(found->numbers, found->count, sizeof(*found->numbers));
            found->sequences = grow(found->sequences, found->count, sizeof(*found->sequences));
            found->numbers[found->count] = kit_number(&record.message);
            found->sequences[found->count++] = record.sequence;
        }
        found->after = record.after;
        journal_reader_release(reader);
    }
}

void kit_collect_dir(const struct kit_dir *dir, struct kit_found *found)
{
    struct journal_reader *reader = NULL;

    memset(found, 0, sizeof(*found));
    assert_int_equal(journal_reader_open(dir->dir, &reader), DSND_OK);
    kit_collect(reader, found);
    journal_reader_close(reader);
}

void kit_found_done(struct kit_found *self)
{
    free(self->numbers);
    free(self->sequences);
    free(self->damaged);
    memset(self, 0, sizeof(*self));
}
