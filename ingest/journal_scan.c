#include "ingest/journal_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/journal_resync.h"

enum { BLOCK_OCTETS = 1024 * 1024 };

/* Octets of the file from `offset` on. Grows at its end only, so views into it stay valid. */
struct journal_block {
    struct journal_block *next;
    uint64_t offset;
    size_t len;
    size_t size;
    char octets[];
};

void journal_scan_init(struct journal_scan *self, const struct journal_files *files, uint32_t salt)
{
    *self = (struct journal_scan){.files = files, .fd = -1, .salt = salt};
}

static void retire(struct journal_scan *self)
{
    if (!self->block)
        return;
    self->block->next = self->retired;
    self->retired = self->block;
    self->block = NULL;
}

void journal_scan_release(struct journal_scan *self)
{
    while (self->retired) {
        struct journal_block *next = self->retired->next;

        free(self->retired);
        self->retired = next;
    }
}

void journal_scan_done(struct journal_scan *self)
{
    retire(self);
    journal_scan_release(self);
}

void journal_scan_file(struct journal_scan *self, int fd, uint64_t offset)
{
    retire(self);
    self->fd = fd;
    self->offset = offset;
    self->limit = offset;
    self->last_sequence = 0;
    self->zeros_end = false;
}

static enum dsnd_err new_block(struct journal_scan *self, uint64_t offset, size_t octets)
{
    size_t size = octets > BLOCK_OCTETS ? octets : BLOCK_OCTETS;
    struct journal_block *block = malloc(sizeof(*block) + size);

    if (!block)
        return DSND_ERR_NOMEM;
    retire(self);
    block->next = NULL;
    block->offset = offset;
    block->len = 0;
    block->size = size;
    self->block = block;
    return DSND_OK;
}

/* Read on at the block's end, as far as it has room and the limit allows. */
static enum dsnd_err fill(struct journal_scan *self)
{
    struct journal_block *block = self->block;
    uint64_t at = block->offset + block->len;
    uint64_t left = self->limit - at;
    size_t want = block->size - block->len;
    size_t len = 0;
    enum dsnd_err err;

    if (left < want)
        want = (size_t)left;
    err = journal_files_read(self->files, self->fd, block->octets + block->len, want, at, &len);
    if (!err)
        block->len += len;
    return err;
}

enum dsnd_err journal_scan_view(struct journal_scan *self, uint64_t offset, size_t octets,
                                const char **ret_view)
{
    struct journal_block *block = self->block;
    enum dsnd_err err = DSND_OK;

    if (!block || offset < block->offset || offset - block->offset > block->size ||
        octets > block->size - (size_t)(offset - block->offset)) {
        err = new_block(self, offset, octets);
        if (err)
            return err;
        block = self->block;
    }
    if (offset + octets > block->offset + block->len)
        err = fill(self);
    if (err)
        return err;
    if (offset + octets > block->offset + block->len) {
        errno = EIO; /* shorter than it was when the limit was set */
        return DSND_ERR_IO;
    }
    *ret_view = block->octets + (offset - block->offset);
    return DSND_OK;
}

/* No valid header at `offset`: the damage ends at the next one, or where only zeros follow. */
static enum dsnd_err measure_damage(struct journal_scan *self, struct journal_scan_item *item)
{
    struct journal_resync found;
    enum dsnd_err err = journal_resync(self, self->offset, &found);

    if (err)
        return err;
    item->kind = JOURNAL_SCAN_DAMAGE;
    item->end = found.next;
    item->next_sequence = found.next_sequence;
    if (found.next_sequence == 0 && self->zeros_end) {
        item->end = found.octets_end;
        if (found.octets_end == self->offset)
            item->kind = JOURNAL_SCAN_END;
    }
    return DSND_OK;
}

/* A valid header stands at `offset`, and its record fits. */
static enum dsnd_err check_record(struct journal_scan *self, struct journal_scan_item *item)
{
    size_t octets = journal_record_size(item->header.payload_octets);
    enum dsnd_err err = journal_scan_view(self, self->offset, octets, &item->octets);

    if (err)
        return err;
    item->end = self->offset + octets;
    item->header_whole = true;
    item->kind = journal_record_check(item->octets, &item->header) == DSND_OK ? JOURNAL_SCAN_RECORD
                                                                              : JOURNAL_SCAN_DAMAGE;
    return DSND_OK;
}

enum dsnd_err journal_scan_peek(struct journal_scan *self, struct journal_scan_item *ret_item)
{
    struct journal_scan_item item = {.offset = self->offset, .end = self->offset};
    uint64_t left = self->limit > self->offset ? self->limit - self->offset : 0;
    enum dsnd_err err = DSND_OK;
    const char *head;

    item.kind = JOURNAL_SCAN_END;
    if (left == 0)
        goto out;
    if (left < JOURNAL_RECORD_HEADER) {
        err = measure_damage(self, &item);
        goto out;
    }
    err = journal_scan_view(self, self->offset, JOURNAL_RECORD_HEADER, &head);
    if (err)
        goto out;
    if (journal_record_header_read(head, self->salt, &item.header) == DSND_OK &&
        journal_record_size(item.header.payload_octets) <= left)
        err = check_record(self, &item);
    else
        err = measure_damage(self, &item);
out:
    if (!err)
        *ret_item = item;
    return err;
}

enum dsnd_err journal_scan_next(struct journal_scan *self, struct journal_scan_item *ret_item)
{
    enum dsnd_err err = journal_scan_peek(self, ret_item);

    if (err)
        return err;
    self->offset = ret_item->end;
    if (ret_item->header_whole && ret_item->header.sequence > self->last_sequence)
        self->last_sequence = ret_item->header.sequence;
    return DSND_OK;
}
