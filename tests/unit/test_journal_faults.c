/*
 * The journal over a disk that fails: each kind of call fails at its first, second ... time, alone
 * or several times running. What was acknowledged is there, once; and it is never acknowledged
 * before octets and names are durable by calls that can be believed: a descriptor whose sync failed
 * once may report success later without having written anything.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ingest/journal_segment.h"
#include "tests/support/journal_kit.h"

enum {
    SEGMENT = 64 * 1024,
    MESSAGES = 24,
    OCTETS = 9000, /* some seven records a segment */
    TIMES = 14,    /* calls of a kind after each of which it fails once */
    FD_MAX = 256,
    BAD = 3, /* exit status: acknowledged without reason */
};

enum call {
    CALL_WRITE,
    CALL_DATASYNC,
    CALL_SYNC,
    CALL_MAKE,
    CALL_RENAME,
    CALL_RESERVE,
    CALL_COUNT
};

/* The disk. The committer thread changes it; the test looks when nothing is queued. */
static struct {
    pthread_mutex_t mutex;
    enum call failing;
    int from; /* calls of that kind that are done before it fails */
    int times;
    int error;
    int count[CALL_COUNT];
    struct {
        bool dirty;    /* has records that no sync covers */
        bool poisoned; /* a sync of it failed */
        bool unnamed;  /* no sync of the directory covers its name */
        char name[64];
    } fd[FD_MAX];
    int record_fd; /* the last that a record was written to */
    int renames;   /* that no sync of the directory covers */
    bool unsafe;   /* a file with such records took another's place */
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static bool fails(enum call call)
{
    int n;

    (void)pthread_mutex_lock(&disk.mutex);
    n = disk.count[call]++;
    (void)pthread_mutex_unlock(&disk.mutex);
    if (call != disk.failing || n < disk.from || n >= disk.from + disk.times)
        return false;
    errno = disk.error;
    return true;
}

static int disk_openat(int dir_fd, const char *name, int flags, mode_t mode)
{
    int fd;

    if ((flags & O_CREAT) && fails(CALL_MAKE))
        return -1;
    fd = openat(dir_fd, name, flags, mode);
    assert_true(fd < FD_MAX);
    if (fd >= 0) {
        memset(&disk.fd[fd], 0, sizeof(disk.fd[fd]));
        disk.fd[fd].unnamed = (flags & O_CREAT) != 0;
        assert_true(snprintf(disk.fd[fd].name, sizeof(disk.fd[fd].name), "%s", name) < 64);
    }
    return fd;
}

static size_t count_octets(const struct iovec *parts, int count)
{
    size_t octets = 0;

    for (int i = 0; i < count; i++)
        octets += parts[i].iov_len;
    return octets;
}

static ssize_t disk_pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    bool fail = fails(CALL_WRITE);
    ssize_t len = fail ? pwritev(fd, parts, 1, offset) : pwritev(fd, parts, count, offset);

    if (offset >= JOURNAL_SEGMENT_HEADER || count_octets(parts, count) > JOURNAL_SEGMENT_HEADER) {
        disk.fd[fd].dirty = true;
        disk.record_fd = fd;
    }
    if (!fail)
        return len;
    errno = disk.error; /* and some of it was written nevertheless */
    return -1;
}

static int synced(int fd, int result)
{
    bool poisoned = disk.fd[fd].poisoned;

    disk.fd[fd].dirty = disk.fd[fd].dirty && poisoned;
    return result;
}

static int disk_fdatasync(int fd)
{
    if (fails(CALL_DATASYNC)) {
        disk.fd[fd].poisoned = true;
        return -1;
    }
    return synced(fd, fdatasync(fd));
}

static void name_all(void)
{
    disk.renames = 0;
    for (int i = 0; i < FD_MAX; i++)
        disk.fd[i].unnamed = false;
}

static int disk_fsync(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (fails(CALL_SYNC)) {
        disk.fd[fd].poisoned = true;
        return -1;
    }
    if ((flags & O_DIRECTORY) && !disk.fd[fd].poisoned)
        name_all();
    return synced(fd, fsync(fd));
}

static int disk_fallocate(int fd, int mode, off_t offset, off_t len)
{
    return fails(CALL_RESERVE) ? -1 : fallocate(fd, mode, offset, len);
}

static int disk_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    int result = fails(CALL_RENAME) ? -1 : renameat(from_fd, from, to_fd, to);

    disk.renames += result == 0;
    for (int i = 0; i < FD_MAX && result == 0; i++)
        disk.unsafe |= disk.fd[i].dirty && strcmp(disk.fd[i].name, from) == 0;
    return result;
}

static struct journal_files make_disk(enum call call, int from, int times)
{
    struct journal_files files = journal_files_system;

    files.openat = disk_openat;
    files.pwritev = disk_pwritev;
    files.fdatasync = disk_fdatasync;
    files.fsync = disk_fsync;
    files.fallocate = disk_fallocate;
    files.renameat = disk_renameat;
    memset(disk.count, 0, sizeof(disk.count));
    disk.failing = call;
    disk.from = from;
    disk.times = times;
    disk.error = call == CALL_RESERVE ? ENOSPC : EIO;
    return files;
}

static bool was_right_to_acknowledge(void)
{
    return !disk.fd[disk.record_fd].dirty && !disk.fd[disk.record_fd].unnamed && !disk.renames &&
           !disk.unsafe;
}

/* A sender: what was refused comes again. */
static bool send_all(struct journal *journal)
{
    for (unsigned n = 0; n < MESSAGES; n++) {
        enum dsnd_err err = kit_append(journal, n, OCTETS);

        if (!err && !was_right_to_acknowledge())
            return false;
        if (!err)
            continue;
        assert_true(err == DSND_ERR_IO || err == DSND_ERR_LIMIT);
        (void)poll(NULL, 0, 50);
        n--;
    }
    return true;
}

static int run_on(enum call call, int from, int times)
{
    struct journal_files files = make_disk(call, from, times);
    struct kit_dir dir;
    struct kit_found found;
    struct journal *journal;
    bool good;

    kit_make(&dir);
    disk.from = INT32_MAX; /* what is there at first is not the matter here */
    journal = kit_open(&dir, SEGMENT, &files);
    memset(disk.count, 0, sizeof(disk.count));
    disk.from = from;
    good = send_all(journal);
    journal_close(journal);
    kit_collect_dir(&dir, &found);
    if (good)
        assert_int_equal(found.count, MESSAGES);
    for (size_t i = 0; good && i < found.count; i++)
        assert_int_equal(found.numbers[i], i);
    assert_int_equal(found.damaged_count, 0);
    kit_found_done(&found);
    kit_remove(&dir);
    return good ? 0 : BAD;
}

/* Each run waits for the journal's own retries, so they run beside each other. */
static void nothing_is_acknowledged_on_faith(void **state)
{
    const int times[] = {1, 3};
    pid_t child[CALL_COUNT][TIMES][ROWS(times)];

    (void)state;
    for (int call = 0; call < CALL_COUNT; call++) {
        for (int from = 0; from < TIMES; from++)
            for (size_t i = 0; i < ROWS(times); i++) {
                child[call][from][i] = fork();
                assert_true(child[call][from][i] >= 0);
                if (child[call][from][i] == 0)
                    _exit(run_on((enum call)call, from, times[i]));
            }
        for (int from = 0; from < TIMES; from++)
            for (size_t i = 0; i < ROWS(times); i++) {
                int status = 0;

                assert_int_equal(waitpid(child[call][from][i], &status, 0), child[call][from][i]);
                if (status)
                    fail_msg("call %d failing %d times from %d on: status %x", call, times[i], from,
                             (unsigned)status);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_acknowledged_on_faith),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
