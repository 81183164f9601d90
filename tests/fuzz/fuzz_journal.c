/*
 * A segment of records with arbitrary payloads, then arbitrary damage, read back as recovery and
 * reader do. Properties: the end is reached; items follow each other without a gap; every record
 * that the damage left alone is found, and no octet of a damaged one is served; a payload whose
 * checksum holds is decoded within its bounds or refused.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "ingest/journal_octets.h"
#include "ingest/journal_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT_MAX = 64 * 1024, RECORDS_MAX = 64, ITEMS_MAX = SEGMENT_MAX / 8 + 1 };

struct fuzz {
    struct dsnd_str in; /* what is left of the input */
    uint32_t salt;
    char segment[SEGMENT_MAX];
    size_t len;
    size_t starts[RECORDS_MAX + 1]; /* of the records, and the end of the last */
    size_t count;
    bool hit[RECORDS_MAX];
    bool found[RECORDS_MAX];
};

static void require(bool holds)
{
    if (!holds)
        __builtin_trap();
}

static unsigned take(struct fuzz *self)
{
    unsigned octet = self->in.len ? (unsigned char)self->in.ptr[0] : 0;

    self->in = dsnd_str_slice(self->in, self->in.len ? 1 : 0, self->in.len);
    return octet;
}

/* Of all the input, so that no input can contain a record that its own salt makes valid. */
static uint32_t salt_of(struct dsnd_str in)
{
    return crc32c(0x5eed, in.ptr, in.len) * 2654435761U + 1;
}

static void put_record(struct fuzz *self)
{
    size_t want = take(self) | (take(self) & 3) << 8;
    struct dsnd_str payload =
        dsnd_str_slice(self->in, 0, want < self->in.len ? want : self->in.len);
    size_t octets = journal_record_size((uint32_t)payload.len);
    char *record = self->segment + self->len;

    self->in = dsnd_str_slice(self->in, payload.len, self->in.len);
    require(self->len + octets <= SEGMENT_MAX);
    memset(record, 0, octets);
    if (payload.len)
        memcpy(record + JOURNAL_RECORD_HEADER, payload.ptr, payload.len);
    journal_put_u32(record + 8, (uint32_t)payload.len);
    journal_put_u32(record + 12,
                    crc32c(0, record + JOURNAL_RECORD_HEADER, octets - JOURNAL_RECORD_HEADER));
    self->starts[self->count++] = self->len;
    journal_record_seal(record, self->salt, self->count);
    self->len += octets;
    self->starts[self->count] = self->len;
}

/* Octets that become others, anywhere; the rest of the input says where. */
static void damage(struct fuzz *self)
{
    while (self->in.len >= 3) {
        size_t at = (take(self) | take(self) << 8) % (self->len + 1);
        unsigned change = take(self);

        if (at == self->len || !change)
            continue;
        self->segment[at] = (char)((unsigned char)self->segment[at] ^ change);
        for (size_t i = 0; i < self->count; i++)
            self->hit[i] |= at >= self->starts[i] && at < self->starts[i + 1];
    }
}

static void check_record(struct fuzz *self, const struct journal_scan_item *item)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(1 << 20);
    struct journal_message message;
    uint64_t n = item->header.sequence;

    require(n >= 1 && n <= self->count && item->offset == self->starts[n - 1]);
    require(item->end == self->starts[n] && !self->found[n - 1]);
    self->found[n - 1] = true;
    if (journal_record_decode(item->octets, &item->header, &arena, &message) == DSND_OK) {
        require(message.recipient_count <= JOURNAL_RECIPIENTS_MAX);
        require(message.octets.len <= item->header.payload_octets);
    }
    dsnd_arena_done(&arena);
}

static void read_back(struct fuzz *self, int fd, bool zeros_end)
{
    struct journal_scan scan;
    struct journal_scan_item item;
    uint64_t at = 0;
    size_t items = 0;

    journal_scan_init(&scan, &journal_files_system, self->salt);
    journal_scan_file(&scan, fd, 0);
    scan.zeros_end = zeros_end;
    scan.limit = self->len;
    do {
        require(journal_scan_next(&scan, &item) == DSND_OK);
        require(item.offset == at && item.end >= at && ++items <= ITEMS_MAX);
        require(item.kind == JOURNAL_SCAN_END || item.end > at);
        at = item.end;
        if (item.kind == JOURNAL_SCAN_RECORD)
            check_record(self, &item);
        journal_scan_release(&scan);
    } while (item.kind != JOURNAL_SCAN_END);
    journal_scan_done(&scan);
    for (size_t i = 0; i < self->count; i++)
        require(self->found[i] || self->hit[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz fuzz;
    static int fd = -1;
    size_t records;
    bool zeros_end;

    if (size < 2 || size > 8192)
        return 0;
    if (fd < 0)
        fd = memfd_create("segment", MFD_CLOEXEC);
    memset(&fuzz, 0, sizeof(fuzz));
    fuzz.in = dsnd_str_make((const char *)data, size);
    fuzz.salt = salt_of(fuzz.in);
    records = take(&fuzz) % RECORDS_MAX;
    zeros_end = take(&fuzz) & 1;
    while (fuzz.count < records && fuzz.in.len)
        put_record(&fuzz);
    damage(&fuzz);
    require(ftruncate(fd, 0) == 0 && pwrite(fd, fuzz.segment, fuzz.len, 0) == (ssize_t)fuzz.len);
    read_back(&fuzz, fd, zeros_end);
    return 0;
}
