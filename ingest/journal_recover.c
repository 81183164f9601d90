#include "ingest/journal_recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "ingest/journal_scan.h"

/* Shared memory that is further than this ahead of the segments is itself damaged. */
#define SEQUENCE_LEAP (UINT64_C(1) << 32)
#define SEGMENT_LEAP (UINT64_C(1) << 20)

enum { RECORD_MIN = JOURNAL_RECORD_HEADER + JOURNAL_RECORD_ALIGN };

/* What one look through a segment found. */
struct look {
    uint64_t size;
    uint64_t records;
    uint64_t records_end;   /* behind the last whole record */
    uint64_t octets_end;    /* behind the last octet that is not reserved zeros */
    uint64_t damaged;       /* octets between */
    uint64_t last_sequence; /* of whole headers */
    uint64_t first_bound;   /* from the segment's header; 0 unless whole */
};

static enum dsnd_err read_bound(const struct journal_dir *dir, int fd, uint64_t *ret_bound)
{
    struct journal_segment_header header;
    char head[JOURNAL_SEGMENT_HEADER];
    size_t len = 0;
    enum dsnd_err err = journal_files_read(dir->files, fd, head, sizeof(head), 0, &len);

    *ret_bound = 0;
    if (!err && len == sizeof(head) && journal_segment_header_read(head, &header) == DSND_OK)
        *ret_bound = header.first_sequence;
    return err;
}

static enum dsnd_err look_through(struct journal_scan *scan, struct look *look)
{
    struct journal_scan_item item;
    enum dsnd_err err;

    do {
        err = journal_scan_next(scan, &item);
        if (err)
            return err;
        if (item.kind == JOURNAL_SCAN_RECORD) {
            look->records++;
            look->records_end = item.end;
        }
        if (item.kind == JOURNAL_SCAN_DAMAGE)
            look->damaged += item.end - item.offset;
        if (item.kind != JOURNAL_SCAN_END)
            look->octets_end = item.end;
        journal_scan_release(scan);
    } while (item.kind != JOURNAL_SCAN_END);
    look->last_sequence = scan->last_sequence;
    return DSND_OK;
}

static enum dsnd_err look_at(const struct journal_dir *dir, int fd, struct look *ret_look)
{
    struct look look = {.records_end = JOURNAL_SEGMENT_HEADER,
                        .octets_end = JOURNAL_SEGMENT_HEADER};
    struct journal_scan scan;
    struct stat stat;
    enum dsnd_err err;

    if (fstat(fd, &stat) != 0)
        return DSND_ERR_IO;
    look.size = (uint64_t)stat.st_size;
    err = read_bound(dir, fd, &look.first_bound);
    if (err)
        return err;
    journal_scan_init(&scan, dir->files, dir->salt);
    journal_scan_file(&scan, fd, JOURNAL_SEGMENT_HEADER);
    scan.zeros_end = true;
    scan.limit = look.size > JOURNAL_SEGMENT_HEADER ? look.size : JOURNAL_SEGMENT_HEADER;
    err = look_through(&scan, &look);
    journal_scan_done(&scan);
    if (!err)
        *ret_look = look;
    return err;
}

/* How far the segment was acknowledged, for all that shared memory knows. */
static uint64_t acknowledged_end(struct journal_mark mark, uint64_t number, const struct look *look)
{
    if (mark.segment == number && mark.offset > JOURNAL_SEGMENT_HEADER)
        return mark.offset < look->octets_end ? mark.offset : look->octets_end;
    return mark.segment > number ? look->octets_end : JOURNAL_SEGMENT_HEADER;
}

/*
 * Keep what matters of the newest segment that has any; it becomes durable as it stands. Where
 * shared memory never heard of the segment, the tail may be more than torn: a copy goes `aside`.
 */
static enum dsnd_err cut_tail(const struct journal_dir *dir, int fd, uint64_t number,
                              const struct look *look, uint64_t end, bool aside)
{
    if (aside && end < look->octets_end)
        journal_dir_set_aside(dir, fd, number, end, look->octets_end);
    if (end != look->size && dir->files->ftruncate(fd, (off_t)end) != 0)
        return DSND_ERR_IO;
    return dir->files->fsync(fd) == 0 ? DSND_OK : DSND_ERR_IO;
}

/*
 * The next sequence must be larger than any acknowledged, or its message would be taken for one
 * that is stored already. Where the last records are damaged their number is not known, so as many
 * are left out as could lie there.
 */
static void note_sequence(const struct journal_shared *shared, const struct look *look,
                          struct journal_recovered *result)
{
    uint64_t last = look->last_sequence;
    uint64_t committed = atomic_load(&shared->committed);

    if (look->first_bound > last)
        last = look->first_bound - 1;
    if (look->damaged)
        last += look->damaged / RECORD_MIN + 1;
    if (committed > last && committed - last < SEQUENCE_LEAP)
        last = committed;
    if (last + 1 > result->next_sequence)
        result->next_sequence = last + 1;
}

/* Recover one segment, the newest left; `*ret_done` when it has records or damage to keep. */
static enum dsnd_err recover_segment(const struct journal_dir *dir,
                                     const struct journal_shared *shared, uint64_t number,
                                     struct journal_recovered *result, bool *ret_done)
{
    char name[JOURNAL_SEGMENT_NAME_SIZE];
    struct look look = {0};
    uint64_t acknowledged;
    uint64_t end;
    int fd = -1;
    enum dsnd_err err = journal_dir_open_segment(dir, number, O_RDWR, &fd);

    if (err)
        return err;
    err = look_at(dir, fd, &look);
    if (err)
        goto out;
    note_sequence(shared, &look, result);
    acknowledged = acknowledged_end(journal_shared_mark(shared), number, &look);
    end = acknowledged > look.records_end ? acknowledged : look.records_end;
    result->report.records = look.records;
    result->report.cut_octets += look.octets_end - end;
    result->report.damaged_octets = look.damaged - (look.octets_end - end);
    *ret_done = end > JOURNAL_SEGMENT_HEADER;
    err = cut_tail(dir, fd, number, &look, end, journal_shared_mark(shared).segment < number);
    if (err)
        goto out;
    result->mark = (struct journal_mark){number, end};
    journal_segment_name(number, name);
    if (!*ret_done && dir->files->unlinkat(dir->fd, name, 0) != 0)
        err = DSND_ERR_IO;
out:
    journal_files_close(fd);
    return err;
}

/* A copy that was being made when the process died. */
static void remove_temporary(const struct journal_dir *dir, uint64_t number)
{
    char name[JOURNAL_SEGMENT_NAME_SIZE + 4];
    char segment[JOURNAL_SEGMENT_NAME_SIZE];

    journal_segment_name(number, segment);
    if (snprintf(name, sizeof(name), "%s.tmp", segment) > 0)
        (void)dir->files->unlinkat(dir->fd, name, 0); /* mostly there is none */
}

static enum dsnd_err recover_all(const struct journal_dir *dir, const struct journal_shared *shared,
                                 const uint64_t *numbers, size_t count,
                                 struct journal_recovered *result)
{
    bool done = false;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < count; i++)
        remove_temporary(dir, numbers[i]);
    for (size_t i = count; i > 0 && !done && !err; i--)
        err = recover_segment(dir, shared, numbers[i - 1], result, &done);
    return err ? err : journal_files_sync_dir(dir->files, dir->fd);
}

/* Numbers are not used twice: a reader may still hold a removed segment open. */
static enum dsnd_err choose_number(const struct journal_shared *shared, const uint64_t *numbers,
                                   size_t count, uint64_t *ret_number)
{
    uint64_t newest = count ? numbers[count - 1] : 0;
    uint64_t marked = journal_shared_mark(shared).segment;

    if (marked > newest && marked - newest < SEGMENT_LEAP)
        newest = marked;
    if (newest >= JOURNAL_SEGMENT_MAX)
        return DSND_ERR_LIMIT;
    *ret_number = newest + 1;
    return DSND_OK;
}

enum dsnd_err journal_recover(const struct journal_dir *dir, const struct journal_shared *shared,
                              struct journal_recovered *ret_recovered)
{
    struct journal_recovered result = {.next_sequence = 1};
    uint64_t *numbers = NULL;
    size_t count = 0;
    enum dsnd_err err = journal_dir_list(dir, &numbers, &count);

    if (!err)
        err = choose_number(shared, numbers, count, &result.next_segment);
    if (!err && count == 0) {
        /* No segment at all: shared memory alone may still know that sequences were given out. */
        const struct look nothing = {0};

        note_sequence(shared, &nothing, &result);
    }
    if (!err)
        err = recover_all(dir, shared, numbers, count, &result);
    free(numbers);
    if (err)
        return err;
    result.report.last_sequence = result.next_sequence - 1;
    *ret_recovered = result;
    return DSND_OK;
}
