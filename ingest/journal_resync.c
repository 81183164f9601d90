#include "ingest/journal_resync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 256 * 1024 };

/* Behind the last octet that is not zero; 0 when all are. `len` is a multiple of 8 or the last. */
static size_t used_octets(const char *chunk, size_t len)
{
    static const char zeros[8];

    while (len >= 8 && memcmp(chunk + len - 8, zeros, 8) == 0)
        len -= 8;
    while (len > 0 && len < 8 && chunk[len - 1] == 0)
        len--;
    return len;
}

static bool is_next(const struct journal_scan *scan, const char *at, uint64_t offset,
                    struct journal_record_header *header)
{
    if (journal_record_header_read(at, scan->salt, header) != DSND_OK)
        return false;
    return header->sequence > scan->last_sequence &&
           journal_record_size(header->payload_octets) <= scan->limit - offset;
}

/* Search one chunk; returns the octets passed, all of which hold no header. */
static size_t search_chunk(const struct journal_scan *scan, const char *chunk, size_t len,
                           uint64_t offset, struct journal_resync *found)
{
    size_t i = 0;

    for (; i + JOURNAL_RECORD_HEADER <= len; i += JOURNAL_RECORD_ALIGN) {
        struct journal_record_header header;

        if (!is_next(scan, chunk + i, offset + i, &header))
            continue;
        found->next = offset + i;
        found->next_sequence = header.sequence;
        break;
    }
    return i;
}

static uint64_t align(uint64_t offset)
{
    return (offset + JOURNAL_RECORD_ALIGN - 1) / JOURNAL_RECORD_ALIGN * JOURNAL_RECORD_ALIGN;
}

static enum dsnd_err search(const struct journal_scan *scan, uint64_t from, char *chunk,
                            struct journal_resync *found)
{
    size_t passed = 1;

    while (from < scan->limit && passed > 0 && found->next_sequence == 0) {
        size_t want = scan->limit - from < CHUNK ? (size_t)(scan->limit - from) : CHUNK;
        size_t len = 0;
        size_t used;
        enum dsnd_err err = journal_files_read(scan->files, scan->fd, chunk, want, from, &len);

        if (err)
            return err;
        passed = len < JOURNAL_RECORD_HEADER ? len : search_chunk(scan, chunk, len, from, found);
        used = used_octets(chunk, passed);
        if (used)
            found->octets_end = align(from + used);
        from += passed;
    }
    return DSND_OK;
}

enum dsnd_err journal_resync(const struct journal_scan *scan, uint64_t from,
                             struct journal_resync *ret_found)
{
    struct journal_resync found = {scan->limit, 0, from};
    char *chunk = malloc(CHUNK);
    enum dsnd_err err;

    if (!chunk)
        return DSND_ERR_NOMEM;
    err = search(scan, from, chunk, &found);
    free(chunk);
    if (err)
        return err;
    if (found.octets_end > found.next)
        found.octets_end = found.next;
    *ret_found = found;
    return DSND_OK;
}
