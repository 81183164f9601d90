#include "ingest/journal_reader.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Whether the hint leads to the first record behind `position`: such a record stands there, or
 * nothing does yet.
 */
static enum dsnd_err hint_holds(const struct journal_reader *self,
                                const struct journal_position *position, bool *ret_holds)
{
    struct journal_mark mark = journal_shared_mark(self->shared);
    struct journal_record_header header;
    bool at_mark = mark.segment == position->segment && mark.offset == position->offset;
    enum dsnd_err err;

    *ret_holds = false;
    if (position->segment == 0 || position->segment > JOURNAL_SEGMENT_MAX ||
        position->offset < JOURNAL_SEGMENT_HEADER || position->offset % JOURNAL_RECORD_ALIGN)
        return DSND_OK;
    err = journal_reader_header_at(self, position->segment, position->offset, &header);
    if (!err)
        *ret_holds = header.sequence == position->sequence + 1;
    else if (err == DSND_ERR_NOT_FOUND)
        *ret_holds = at_mark;
    return err == DSND_ERR_NOT_FOUND ? DSND_OK : err;
}

/*
 * The newest segment whose first record does not lie behind the place sought. Segments whose first
 * record cannot be read are passed over: starting earlier only costs reading.
 */
static enum dsnd_err choose(const struct journal_reader *self, uint64_t sequence,
                            const uint64_t *numbers, size_t count, uint64_t *ret_number)
{
    for (size_t i = count; i > 0; i--) {
        struct journal_record_header header;
        enum dsnd_err err =
            journal_reader_header_at(self, numbers[i - 1], JOURNAL_SEGMENT_HEADER, &header);

        if (err == DSND_ERR_IO)
            return err;
        if (!err && header.sequence <= sequence + 1) {
            *ret_number = numbers[i - 1];
            return DSND_OK;
        }
    }
    return DSND_ERR_NOT_FOUND;
}

/* Records are missing where the oldest kept segment begins behind the place sought. */
static enum dsnd_err open_oldest(struct journal_reader *self, uint64_t sequence, uint64_t number)
{
    struct journal_record_header header;
    enum dsnd_err err = journal_reader_header_at(self, number, JOURNAL_SEGMENT_HEADER, &header);
    bool gone = !err && header.sequence > sequence + 1;

    if (err && err != DSND_ERR_NOT_FOUND)
        return err;
    err = journal_reader_enter(self, number, JOURNAL_SEGMENT_HEADER);
    if (!err && gone)
        err = DSND_ERR_NOT_FOUND;
    return err;
}

static enum dsnd_err search(struct journal_reader *self, uint64_t sequence)
{
    uint64_t *numbers = NULL;
    uint64_t number = 0;
    size_t count = 0;
    enum dsnd_err err = journal_dir_list(&self->dir, &numbers, &count);

    if (err || count == 0)
        goto out;
    err = choose(self, sequence, numbers, count, &number);
    if (!err)
        err = journal_reader_enter(self, number, JOURNAL_SEGMENT_HEADER);
    else if (err == DSND_ERR_NOT_FOUND)
        err = open_oldest(self, sequence, numbers[0]);
out:
    free(numbers);
    return err;
}

enum dsnd_err journal_reader_seek(struct journal_reader *self,
                                  const struct journal_position *position)
{
    bool holds = false;
    enum dsnd_err err = hint_holds(self, position, &holds);

    if (err)
        return err;
    journal_reader_leave(self);
    self->last = position->sequence;
    self->position = *position;
    atomic_store(&self->shared->applied, position->sequence);
    return holds ? journal_reader_enter(self, position->segment, position->offset)
                 : search(self, position->sequence);
}
