#include "ingest/journal_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/metrics.h"

/* Recipients of all records between two calls of journal_reader_release. */
#define ARENA_MAX ((size_t)256 * 1024 * 1024)

void journal_reader_leave(struct journal_reader *self)
{
    journal_files_close(self->fd);
    self->fd = -1;
    self->number = 0;
}

void journal_reader_close(struct journal_reader *self)
{
    if (!self)
        return;
    if (self->shared)
        for (unsigned i = 0; i < JOURNAL_WORKERS_MAX; i++)
            journal_reader_mark(self, i, 0);
    journal_reader_leave(self);
    journal_scan_done(&self->scan);
    dsnd_arena_done(&self->arena);
    journal_shared_close(self->shared);
    journal_dir_close(&self->dir);
    free(self->aged);
    free(self);
}

enum dsnd_err journal_reader_open(const char *dir, struct journal_reader **ret_reader)
{
    struct journal_reader *self = calloc(1, sizeof(*self));
    enum dsnd_err err;

    if (!self)
        return DSND_ERR_NOMEM;
    self->fd = -1;
    self->arena = DSND_ARENA_INIT(ARENA_MAX);
    err = journal_dir_open(&self->dir, &journal_files_system, dir, JOURNAL_READER_LOCK);
    journal_scan_init(&self->scan, &journal_files_system, self->dir.salt);
    if (!err)
        err = journal_shared_open(self->dir.fd, &self->shared);
    if (err) {
        int saved = errno;

        journal_reader_close(self);
        errno = saved;
        return err;
    }
    /* We hold the lock, so whoever left these marks is dead. */
    journal_shared_bury(self->shared);
    *ret_reader = self;
    return DSND_OK;
}

const char *journal_reader_id(const struct journal_reader *self)
{
    return self->dir.id_text;
}

/* A damaged header costs no record: the id is known, and so is the place of the first record. */
static enum dsnd_err check_header(struct journal_reader *self, int fd, uint64_t number)
{
    struct journal_segment_header header;
    char head[JOURNAL_SEGMENT_HEADER];
    size_t len = 0;
    enum dsnd_err err = journal_files_read(self->dir.files, fd, head, sizeof(head), 0, &len);

    if (!err)
        err = len == sizeof(head) ? journal_segment_header_read(head, &header) : DSND_ERR_CORRUPT;
    if (err != DSND_ERR_CORRUPT)
        return err;
    metrics_add(METRIC_JOURNAL_CORRUPT, 1);
    journal_dir_set_aside(&self->dir, fd, number, 0, JOURNAL_SEGMENT_HEADER);
    return DSND_OK;
}

enum dsnd_err journal_reader_enter(struct journal_reader *self, uint64_t number, uint64_t offset)
{
    int fd = -1;
    enum dsnd_err err = journal_dir_open_segment(&self->dir, number, O_RDONLY, &fd);

    if (!err)
        err = check_header(self, fd, number);
    if (err) {
        journal_files_close(fd);
        return err;
    }
    journal_reader_leave(self);
    self->fd = fd;
    self->number = number;
    self->sealed = false;
    self->ended = false;
    journal_scan_file(&self->scan, fd, offset);
    return DSND_OK;
}

enum dsnd_err journal_reader_following(const struct journal_reader *self, uint64_t number,
                                       uint64_t *ret_number)
{
    uint64_t mark = journal_shared_mark(self->shared).segment;
    uint64_t *numbers = NULL;
    size_t count = 0;
    size_t i = 0;
    enum dsnd_err err = journal_dir_list(&self->dir, &numbers, &count);

    if (err)
        return err;
    while (i < count && numbers[i] <= number)
        i++;
    if (i < count && numbers[i] <= mark)
        *ret_number = numbers[i];
    else
        err = DSND_ERR_NOT_FOUND;
    free(numbers);
    return err;
}

enum dsnd_err journal_reader_header_at(const struct journal_reader *self, uint64_t number,
                                       uint64_t offset, struct journal_record_header *ret_header)
{
    char head[JOURNAL_RECORD_HEADER];
    size_t len = 0;
    int fd = -1;
    enum dsnd_err err = journal_dir_open_segment(&self->dir, number, O_RDONLY, &fd);

    if (err)
        return err;
    err = journal_files_read(self->dir.files, fd, head, sizeof(head), offset, &len);
    journal_files_close(fd);
    if (!err &&
        (len < sizeof(head) || journal_record_header_read(head, self->dir.salt, ret_header)))
        err = DSND_ERR_NOT_FOUND;
    return err;
}

/*
 * The open segment is sealed. The writer may have replaced it (a sync failed): its name then leads
 * to another file with the same records at the same offsets, and ours has no name any more. The
 * mark moved only after that, so one look is enough.
 */
static enum dsnd_err follow_name(struct journal_reader *self, struct stat *stat)
{
    struct journal_scan *scan = &self->scan;
    uint64_t passed = scan->last_sequence;
    enum dsnd_err err;

    if (fstat(self->fd, stat) != 0)
        return DSND_ERR_IO;
    if (stat->st_nlink > 0)
        return DSND_OK;
    err = journal_reader_enter(self, self->number, scan->offset);
    if (err)
        return err;
    scan->last_sequence = passed;
    return fstat(self->fd, stat) == 0 ? DSND_OK : DSND_ERR_IO;
}

/* How far may be read now? The open segment's limit follows the mark. */
static enum dsnd_err refresh(struct journal_reader *self)
{
    struct journal_mark mark = journal_shared_mark(self->shared);
    uint64_t limit = self->scan.offset;
    struct stat stat;
    enum dsnd_err err = DSND_OK;

    self->seen = mark;
    if (mark.segment < self->number)
        return DSND_OK;
    if (mark.segment > self->number) {
        err = follow_name(self, &stat);
        if (err == DSND_ERR_NOT_FOUND) { /* empty when the writer closed, and removed */
            self->sealed = true;
            self->ended = true;
            return DSND_OK;
        }
        self->sealed = !err;
    } else if (fstat(self->fd, &stat) != 0) {
        err = DSND_ERR_IO;
    }
    if (err)
        return err;
    if ((uint64_t)stat.st_size > limit)
        limit = (uint64_t)stat.st_size;
    if (!self->sealed && mark.offset < limit)
        limit = mark.offset > self->scan.offset ? mark.offset : self->scan.offset;
    self->scan.limit = limit;
    self->scan.zeros_end = self->sealed;
    return DSND_OK;
}

/* Make sure that a segment is open and has something to read. DSND_ERR_NOT_FOUND: nothing now. */
static enum dsnd_err stand_before_record(struct journal_reader *self)
{
    for (;;) {
        uint64_t number;
        enum dsnd_err err = DSND_OK;

        if (self->number && !self->ended) {
            if (self->scan.offset < self->scan.limit)
                return DSND_OK;
            err = refresh(self);
            if (err)
                return err;
            if (self->scan.offset < self->scan.limit)
                return DSND_OK;
            if (!self->sealed)
                return DSND_ERR_NOT_FOUND;
        }
        self->seen = journal_shared_mark(self->shared);
        err = journal_reader_following(self, self->number, &number);
        if (!err)
            err = journal_reader_enter(self, number, JOURNAL_SEGMENT_HEADER);
        if (err)
            return err;
    }
}

/* The smallest sequence that can stand behind damage at the end of the open segment. */
static uint64_t sequence_behind(const struct journal_reader *self)
{
    struct journal_record_header header;
    uint64_t number;

    if (journal_reader_following(self, self->number, &number) == DSND_OK &&
        journal_reader_header_at(self, number, JOURNAL_SEGMENT_HEADER, &header) == DSND_OK)
        return header.sequence;
    return atomic_load(&self->shared->committed) + 1;
}

/*
 * Which record was lost to damage; 0: none, its octets belong to none that was not had before.
 * Numbers without a header are told from what stands around the damage.
 */
static uint64_t lost_sequence(const struct journal_reader *self,
                              const struct journal_scan_item *item)
{
    uint64_t lost = self->last + 1;
    uint64_t behind = item->next_sequence;

    if (item->header_whole)
        return item->header.sequence > self->last ? item->header.sequence : 0;
    if (behind == 0)
        behind = sequence_behind(self);
    return lost < behind ? lost : 0;
}

static void hand_out(struct journal_reader *self, const struct journal_scan_item *item,
                     uint64_t sequence, struct journal_record *record)
{
    record->sequence = sequence;
    record->after = (struct journal_position){sequence, self->number, item->end};
    self->last = sequence;
}

/* DSND_ERR_CORRUPT where it is to be reported, DSND_OK where the caller goes on. */
static enum dsnd_err report_damage(struct journal_reader *self,
                                   const struct journal_scan_item *item,
                                   struct journal_record *ret_record)
{
    uint64_t sequence = lost_sequence(self, item);
    uint64_t octets = item->end - item->offset;
    struct journal_record record = {.sequence = 0};
    enum dsnd_err err;

    if (item->header_whole && sequence == 0)
        return DSND_OK; /* was handed out, or is stored */
    octets = octets < JOURNAL_DAMAGE_MAX ? octets : JOURNAL_DAMAGE_MAX;
    err = journal_scan_view(&self->scan, item->offset, (size_t)octets, &record.message.octets.ptr);
    if (err) {
        self->scan.offset = item->offset;
        return err;
    }
    metrics_add(METRIC_JOURNAL_CORRUPT, 1);
    journal_dir_set_aside(&self->dir, self->fd, self->number, item->offset, item->end);
    if (sequence == 0)
        return DSND_OK;
    record.message.octets.len = (size_t)octets;
    record.message.received_us = item->header_whole ? item->header.received_us : 0;
    hand_out(self, item, sequence, &record);
    *ret_record = record;
    return DSND_ERR_CORRUPT;
}

/* The item at the scan's place. DSND_OK with `*ret_found` false: nothing to hand out, go on. */
static enum dsnd_err take_item(struct journal_reader *self, struct journal_record *ret_record,
                               bool *ret_found)
{
    struct journal_record record;
    struct journal_scan_item item;
    enum dsnd_err err = journal_scan_next(&self->scan, &item);

    if (err)
        return err;
    switch (item.kind) {
    case JOURNAL_SCAN_END:
        self->ended = self->sealed;
        return DSND_OK;
    case JOURNAL_SCAN_DAMAGE:
        return report_damage(self, &item, ret_record);
    case JOURNAL_SCAN_RECORD:
        break;
    }
    if (item.header.sequence <= self->last)
        return DSND_OK;
    err = journal_record_decode(item.octets, &item.header, &self->arena, &record.message);
    if (err == DSND_ERR_CORRUPT)
        return report_damage(self, &item, ret_record);
    if (err) {
        self->scan.offset = item.offset;
        return err;
    }
    hand_out(self, &item, item.header.sequence, &record);
    *ret_record = record;
    *ret_found = true;
    return DSND_OK;
}

enum dsnd_err journal_reader_next(struct journal_reader *self, struct journal_record *ret_record)
{
    bool found = false;
    enum dsnd_err err = DSND_OK;

    while (!err && !found) {
        err = stand_before_record(self);
        if (!err)
            err = take_item(self, ret_record, &found);
    }
    return err;
}

void journal_reader_release(struct journal_reader *self)
{
    journal_scan_release(&self->scan);
    dsnd_arena_clear(&self->arena);
}

void journal_reader_wait(struct journal_reader *self, unsigned timeout_ms)
{
    journal_shared_wait(self->shared, self->seen, timeout_ms);
}

void journal_reader_mark(struct journal_reader *self, unsigned worker, uint64_t sequence)
{
    if (worker < JOURNAL_WORKERS_MAX)
        atomic_store(&self->shared->working[worker], sequence);
}

void journal_reader_blame(struct journal_reader *self)
{
    atomic_store(&self->shared->crashed, 1);
}

unsigned journal_reader_deaths(const struct journal_reader *self, uint64_t sequence)
{
    return journal_shared_deaths(self->shared, sequence);
}
