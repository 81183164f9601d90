#include "ingest/journal_shared.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ingest/journal_files.h"

/* "dsndst" and the layout's version. */
#define SHARED_MAGIC UINT64_C(0x64736e6473740001)

_Static_assert(sizeof(struct journal_shared) <= 4096, "the state is one page");

enum { SHARED_OCTETS = 4096 };

/*
 * Zeros are written instead of leaving a hole: a store into a hole of a full disk would kill the
 * process.
 */
static enum dsnd_err begin_anew(int fd)
{
    static const char zeros[SHARED_OCTETS];
    uint64_t magic = SHARED_MAGIC;

    if (ftruncate(fd, SHARED_OCTETS) != 0)
        return DSND_ERR_IO;
    if (pwrite(fd, zeros, sizeof(zeros), 0) != (ssize_t)sizeof(zeros))
        return DSND_ERR_IO;
    if (pwrite(fd, &magic, sizeof(magic), 0) != (ssize_t)sizeof(magic))
        return DSND_ERR_IO;
    return DSND_OK;
}

static enum dsnd_err check_or_begin(int fd)
{
    uint64_t magic = 0;
    struct stat stat;

    if (flock(fd, LOCK_EX) != 0 || fstat(fd, &stat) != 0)
        return DSND_ERR_IO;
    if (stat.st_size == SHARED_OCTETS && pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) &&
        magic == SHARED_MAGIC)
        return DSND_OK;
    return begin_anew(fd);
}

enum dsnd_err journal_shared_open(int dir_fd, struct journal_shared **ret_shared)
{
    int fd = openat(dir_fd, "journal.state", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum dsnd_err err;
    void *map;

    if (fd < 0)
        return DSND_ERR_IO;
    err = check_or_begin(fd);
    if (err)
        goto out;
    map = mmap(NULL, SHARED_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        err = DSND_ERR_IO;
        goto out;
    }
    *ret_shared = map;
out:
    (void)flock(fd, LOCK_UN); /* the mapping would keep it */
    journal_files_close(fd);
    return err;
}

void journal_shared_close(struct journal_shared *self)
{
    if (self)
        (void)munmap(self, SHARED_OCTETS);
}

uint64_t journal_mark_pack(struct journal_mark mark)
{
    return mark.segment << 32 | mark.offset / 8;
}

struct journal_mark journal_mark_unpack(uint64_t packed)
{
    return (struct journal_mark){packed >> 32, (packed & UINT32_MAX) * 8};
}

static long futex(_Atomic uint32_t *word, int op, uint32_t value, const struct timespec *timeout)
{
    return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

/*
 * The reader stores `waiting` and then loads `commits`; the writer adds to `commits` and then loads
 * `waiting`. All four are sequentially consistent, so one of the two sees the other: either the
 * writer wakes, or the reader finds the new count and does not sleep.
 */
void journal_shared_commit(struct journal_shared *self, struct journal_mark mark, uint64_t sequence)
{
    atomic_store(&self->committed, sequence);
    atomic_store(&self->mark, journal_mark_pack(mark));
    atomic_fetch_add(&self->commits, 1);
    if (atomic_load(&self->waiting))
        (void)futex(&self->commits, FUTEX_WAKE, 1, NULL);
}

struct journal_mark journal_shared_mark(const struct journal_shared *self)
{
    return journal_mark_unpack(atomic_load(&self->mark));
}

void journal_shared_wait(struct journal_shared *self, struct journal_mark seen, unsigned timeout_ms)
{
    struct timespec timeout = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    uint32_t commits;

    atomic_store(&self->waiting, 1);
    commits = atomic_load(&self->commits);
    if (atomic_load(&self->mark) == journal_mark_pack(seen))
        (void)futex(&self->commits, FUTEX_WAIT, commits, &timeout);
    atomic_store(&self->waiting, 0);
}

/* The row of `sequence`, a free one, or the one that may be given up: the smallest sequence. */
static struct journal_death *row_for(struct journal_shared *self, uint64_t sequence)
{
    struct journal_death *best = &self->deaths[0];

    for (int i = 0; i < JOURNAL_DEATHS_MAX; i++) {
        struct journal_death *row = &self->deaths[i];

        if (atomic_load(&row->sequence) == sequence)
            return row;
        if (atomic_load(&row->sequence) < atomic_load(&best->sequence))
            best = row;
    }
    atomic_store(&best->crashes, 0);
    atomic_store(&best->kills, 0);
    atomic_store(&best->sequence, sequence);
    return best;
}

void journal_shared_bury(struct journal_shared *self)
{
    bool crashed = atomic_exchange(&self->crashed, 0) != 0;

    for (int i = 0; i < JOURNAL_WORKERS_MAX; i++) {
        uint64_t sequence = atomic_exchange(&self->working[i], 0);
        struct journal_death *row = sequence ? row_for(self, sequence) : NULL;

        if (row)
            atomic_fetch_add(crashed ? &row->crashes : &row->kills, 1);
    }
}

unsigned journal_shared_deaths(const struct journal_shared *self, uint64_t sequence)
{
    for (int i = 0; sequence && i < JOURNAL_DEATHS_MAX; i++) {
        const struct journal_death *row = &self->deaths[i];

        if (atomic_load(&row->sequence) == sequence)
            return atomic_load(&row->crashes) + atomic_load(&row->kills) / JOURNAL_KILLS_A_DEATH;
    }
    return 0;
}
