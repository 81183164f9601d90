#include "ingest/journal_append.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "ingest/journal_record.h"
#include "ingest/journal_revive.h"

enum {
    RETRY_MS = 1000,
    PARTS_MAX = 512, /* records of one pwritev; Linux takes 1024 */
};

/* Shared memory that is further than this ahead of the segments is damaged. */
#define SEQUENCE_LEAP (UINT64_C(1) << 40)

static const struct journal_tail no_tail = {.fd = -1};

static void close_tail(struct journal_tail *tail)
{
    journal_files_close(tail->fd);
    *tail = no_tail;
}

/* What the sender is told: a full disk passes, and says so. */
static enum dsnd_err result_of(int error)
{
    return error == ENOSPC || error == EDQUOT ? DSND_ERR_LIMIT : DSND_ERR_IO;
}

static void finish(struct journal_node *nodes, enum dsnd_err err)
{
    while (nodes) {
        struct journal_node *next = nodes->next;

        nodes->done(nodes->context, err, err ? 0 : nodes->sequence);
        free(nodes);
        nodes = next;
    }
}

/* A system call failed, errno says how: accept nothing until revived. */
static void fail(struct journal_append *self)
{
    int error = errno ? errno : EIO;

    metrics_add(METRIC_JOURNAL_ERRORS, 1);
    atomic_store(self->failure, error);
    if (self->current.fd >= 0) {
        assert(self->abandoned.fd < 0);
        self->abandoned = self->current;
        self->current = no_tail;
    }
}

static enum dsnd_err make_segment(struct journal_append *self, struct journal_tail *ret_tail)
{
    struct journal_segment_header header = {
        .version = JOURNAL_FORMAT_VERSION,
        .number = self->next_segment,
        .first_sequence = self->next_sequence,
        .made_us = dsnd_clock_now_us(),
    };
    enum dsnd_err err;
    int fd = -1;

    if (self->next_segment > JOURNAL_SEGMENT_MAX) {
        errno = EOVERFLOW;
        return DSND_ERR_IO;
    }
    for (int i = 0; i < JOURNAL_ID_OCTETS; i++)
        header.id[i] = self->dir->id[i];
    self->next_segment++; /* a number is used once, whatever becomes of the file */
    err = journal_segment_make(self->dir->files, self->dir->fd, &header,
                               journal_space_grant(self->space, self->segment_octets), &fd);
    if (!err)
        *ret_tail = (struct journal_tail){fd, header.number, JOURNAL_SEGMENT_HEADER};
    return err;
}

void journal_append_prepare(struct journal_append *self)
{
    if (self->current.fd < 0 || self->prepared.fd >= 0 ||
        self->current.end < self->segment_octets / 2 || dsnd_clock_monotonic_ms() < self->retry_ms)
        return;
    /* Without it the change of segment will try again, and report. */
    if (make_segment(self, &self->prepared) != DSND_OK)
        self->retry_ms = dsnd_clock_monotonic_ms() + RETRY_MS;
}

static enum dsnd_err take_next(struct journal_append *self)
{
    if (self->prepared.fd < 0)
        return make_segment(self, &self->current);
    self->current = self->prepared;
    self->prepared = no_tail;
    return DSND_OK;
}

/* All in the current segment is durable: give back what it had reserved and go to the next. */
static void change_segment(struct journal_append *self)
{
    /* Where this fails, zeros stay behind the records; that reads as their end too. */
    (void)self->dir->files->ftruncate(self->current.fd, (off_t)self->current.end);
    close_tail(&self->current);
    if (take_next(self) != DSND_OK)
        fail(self);
}

void journal_append_revive(struct journal_append *self)
{
    enum dsnd_err err = DSND_OK;
    int64_t now_ms = dsnd_clock_monotonic_ms();

    if (now_ms < self->retry_ms)
        return;
    self->retry_ms = now_ms + RETRY_MS;
    if (self->abandoned.fd >= 0) {
        err = journal_revive_copy(self->dir, &self->abandoned);
        if (!err) {
            close_tail(&self->abandoned);
            self->names_unsynced = true;
        }
    }
    if (!err && self->names_unsynced) {
        err = journal_files_sync_dir(self->dir->files, self->dir->fd);
        self->names_unsynced = err != DSND_OK;
    }
    if (!err)
        err = take_next(self);
    if (err) {
        atomic_store(self->failure, errno ? errno : EIO);
        return;
    }
    self->retry_ms = 0;
    atomic_store(self->failure, 0);
    journal_shared_commit(self->shared,
                          (struct journal_mark){self->current.number, self->current.end},
                          self->next_sequence - 1);
}

/*
 * The front of `*nodes` that fits the current segment, cut off; NULL when it is full. The first
 * record of a segment always fits.
 */
static struct journal_node *take_fitting(const struct journal_append *self,
                                         struct journal_node **nodes, uint64_t *ret_octets)
{
    struct journal_node *first = *nodes;
    struct journal_node *last = NULL;
    uint64_t octets = 0;

    for (struct journal_node *node = first; node; node = node->next) {
        bool empty = self->current.end + octets == JOURNAL_SEGMENT_HEADER;

        if (!empty && self->current.end + octets + node->octets > self->segment_octets)
            break;
        octets += node->octets;
        last = node;
    }
    if (!last)
        return NULL;
    *nodes = last->next;
    last->next = NULL;
    *ret_octets = octets;
    return first;
}

/*
 * The reader skips what it knows as stored. Should shared memory say that more is stored than the
 * segments hold (they were brought back from an old copy), appends go on behind that.
 */
static uint64_t first_free_sequence(const struct journal_append *self)
{
    uint64_t applied = atomic_load(&self->shared->applied);

    if (applied >= self->next_sequence && applied - self->next_sequence < SEQUENCE_LEAP)
        return applied + 1;
    return self->next_sequence;
}

static enum dsnd_err write_nodes(const struct journal_append *self, struct journal_node *nodes,
                                 uint64_t sequence)
{
    uint64_t offset = self->current.end;

    while (nodes) {
        struct iovec parts[PARTS_MAX];
        uint64_t octets = 0;
        int count = 0;
        enum dsnd_err err;

        for (; nodes && count < PARTS_MAX; nodes = nodes->next) {
            nodes->sequence = sequence++;
            journal_record_seal(nodes->record, self->dir->salt, nodes->sequence);
            parts[count++] = (struct iovec){nodes->record, nodes->octets};
            octets += nodes->octets;
        }
        err = journal_files_write(self->dir->files, self->current.fd, parts, count, offset);
        if (err)
            return err;
        offset += octets;
    }
    return DSND_OK;
}

static size_t count_nodes(const struct journal_node *nodes)
{
    size_t count = 0;

    for (; nodes; nodes = nodes->next)
        count++;
    return count;
}

/* Make `nodes` durable in the current segment, then say so: first to the reader, then to each. */
static void commit_group(struct journal_append *self, struct journal_node *nodes, uint64_t octets)
{
    uint64_t sequence = first_free_sequence(self);
    size_t count = count_nodes(nodes);
    enum dsnd_err err = write_nodes(self, nodes, sequence);

    if (!err) {
        metrics_add(METRIC_JOURNAL_SYNCS, 1);
        if (self->dir->files->fdatasync(self->current.fd) != 0)
            err = DSND_ERR_IO;
    }
    if (err) {
        fail(self);
        finish(nodes, result_of(atomic_load(self->failure)));
        return;
    }
    self->current.end += octets;
    self->next_sequence = sequence + count;
    metrics_add(METRIC_JOURNAL_RECORDS, count);
    metrics_add(METRIC_JOURNAL_OCTETS, octets);
    journal_shared_commit(self->shared,
                          (struct journal_mark){self->current.number, self->current.end},
                          self->next_sequence - 1);
    finish(nodes, DSND_OK);
}

void journal_append_commit(struct journal_append *self, struct journal_node *nodes)
{
    while (nodes) {
        struct journal_node *group;
        uint64_t octets = 0;

        if (atomic_load(self->failure))
            journal_append_revive(self);
        if (atomic_load(self->failure)) {
            finish(nodes, result_of(atomic_load(self->failure)));
            return;
        }
        group = take_fitting(self, &nodes, &octets);
        if (group)
            commit_group(self, group, octets);
        else
            change_segment(self);
    }
}

static void remove_if_empty(struct journal_append *self, struct journal_tail *tail)
{
    char name[JOURNAL_SEGMENT_NAME_SIZE];

    if (tail->fd < 0 || tail->end > JOURNAL_SEGMENT_HEADER)
        return;
    journal_segment_name(tail->number, name);
    (void)self->dir->files->unlinkat(self->dir->fd, name, 0); /* the next start tries again */
    close_tail(tail);
}

void journal_append_close(struct journal_append *self)
{
    remove_if_empty(self, &self->prepared);
    remove_if_empty(self, &self->current);
    if (self->current.fd >= 0 &&
        self->dir->files->ftruncate(self->current.fd, (off_t)self->current.end) == 0)
        (void)self->dir->files->fsync(self->current.fd); /* its records are durable already */
    close_tail(&self->current);
    close_tail(&self->abandoned);
}
