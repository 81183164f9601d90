#include "ingest/journal_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

/* When the last record of a segment was received, by its headers alone. */
static enum dsnd_err last_received(const struct journal_reader *self, uint64_t number,
                                   int64_t *ret_us)
{
    const struct journal_files *files = self->dir.files;
    uint64_t offset = JOURNAL_SEGMENT_HEADER;
    int64_t last_us = 0;
    struct stat stat;
    int fd = -1;
    enum dsnd_err err = journal_dir_open_segment(&self->dir, number, O_RDONLY, &fd);

    if (err)
        return err;
    if (fstat(fd, &stat) != 0) {
        err = DSND_ERR_IO;
        goto out;
    }
    for (;;) {
        struct journal_record_header header;
        char head[JOURNAL_RECORD_HEADER];
        size_t len = 0;

        err = journal_files_read(files, fd, head, sizeof(head), offset, &len);
        if (err || len < sizeof(head) ||
            journal_record_header_read(head, self->dir.salt, &header) != DSND_OK)
            break;
        last_us = header.received_us > last_us ? header.received_us : last_us;
        offset += journal_record_size(header.payload_octets);
    }
    /* Damage hides what is behind it; the file was not written after its last record came. */
    if (!err && offset < (uint64_t)stat.st_size)
        last_us = (int64_t)stat.st_mtim.tv_sec * 1000000;
    if (!err)
        *ret_us = last_us;
out:
    journal_files_close(fd);
    return err;
}

/*
 * The segments before that of the position. The position's own is never deleted, even when it is
 * stored wholly: its last record tells the next writer where sequences go on.
 */
static enum dsnd_err list_aged(struct journal_reader *self)
{
    uint64_t *numbers = NULL;
    size_t count = 0;
    size_t kept = 0;
    struct journal_aged *aged;
    enum dsnd_err err = journal_dir_list(&self->dir, &numbers, &count);

    if (err)
        return err;
    while (kept < count && numbers[kept] < self->position.segment)
        kept++;
    aged = calloc(kept + 1, sizeof(*aged));
    if (!aged) {
        free(numbers);
        return DSND_ERR_NOMEM;
    }
    for (size_t i = 0; i < kept; i++)
        aged[i] = (struct journal_aged){numbers[i], INT64_MIN};
    free(numbers);
    free(self->aged);
    self->aged = aged;
    self->aged_count = kept;
    self->aged_first = 0;
    self->aged_segment = self->position.segment;
    return DSND_OK;
}

/* DSND_ERR_NOT_FOUND: the oldest is not old enough, or there is none. */
static enum dsnd_err delete_oldest(struct journal_reader *self, int64_t before_us)
{
    struct journal_aged *oldest = self->aged + self->aged_first;
    char name[JOURNAL_SEGMENT_NAME_SIZE];
    enum dsnd_err err = DSND_OK;

    if (self->aged_first == self->aged_count)
        return DSND_ERR_NOT_FOUND;
    if (oldest->last_received_us == INT64_MIN) {
        err = last_received(self, oldest->number, &oldest->last_received_us);
        if (err && err != DSND_ERR_NOT_FOUND)
            return err;
    }
    if (!err && oldest->last_received_us >= before_us)
        return DSND_ERR_NOT_FOUND;
    journal_segment_name(oldest->number, name);
    if (self->dir.files->unlinkat(self->dir.fd, name, 0) != 0 && errno != ENOENT)
        return DSND_ERR_IO;
    self->aged_first++;
    return DSND_OK;
}

enum dsnd_err journal_reader_applied(struct journal_reader *self,
                                     const struct journal_position *position, int64_t now_us,
                                     int64_t keep_us)
{
    size_t first;
    enum dsnd_err err = DSND_OK;

    self->position = *position;
    atomic_store(&self->shared->applied, position->sequence);
    if (self->aged_segment != position->segment)
        err = list_aged(self);
    if (err)
        return err;
    first = self->aged_first;
    while (!err)
        err = delete_oldest(self, now_us - keep_us);
    if (err == DSND_ERR_NOT_FOUND)
        err = DSND_OK;
    if (self->aged_first != first && !err)
        err = journal_files_sync_dir(self->dir.files, self->dir.fd);
    return err;
}

/* Octets of one segment that are durable and not stored; where they begin. */
static uint64_t waiting_in(const struct journal_reader *self, uint64_t number,
                           struct journal_mark mark, uint64_t *ret_from)
{
    char name[JOURNAL_SEGMENT_NAME_SIZE];
    struct stat stat;
    uint64_t end = mark.offset;

    *ret_from = JOURNAL_SEGMENT_HEADER;
    if (number < self->position.segment || number > mark.segment)
        return 0;
    if (number == self->position.segment && self->position.offset > *ret_from)
        *ret_from = self->position.offset;
    if (number < mark.segment) {
        journal_segment_name(number, name);
        if (fstatat(self->dir.fd, name, &stat, 0) != 0)
            return 0;
        end = (uint64_t)stat.st_size;
    }
    return end > *ret_from ? end - *ret_from : 0;
}

void journal_reader_backlog(struct journal_reader *self, uint64_t *ret_octets,
                            int64_t *ret_oldest_us)
{
    struct journal_mark mark = journal_shared_mark(self->shared);
    uint64_t *numbers = NULL;
    size_t count = 0;

    *ret_octets = 0;
    *ret_oldest_us = 0;
    if (journal_dir_list(&self->dir, &numbers, &count) != DSND_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        struct journal_record_header header;
        uint64_t from;
        uint64_t octets = waiting_in(self, numbers[i], mark, &from);

        *ret_octets += octets;
        if (octets && *ret_oldest_us == 0 &&
            journal_reader_header_at(self, numbers[i], from, &header) == DSND_OK)
            *ret_oldest_us = header.received_us;
    }
    free(numbers);
}
