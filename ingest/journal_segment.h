/*
 * Segment files: name, header, creation.
 *
 * A segment is called by its number, 16 hex digits and ".seg". Its header, little-endian, stands
 * before the first record:
 *
 *     0  "dsndjrnl"
 *     8  header checksum  u32  CRC-32C of octets 12 to 63
 *    12  format version   u32
 *    16  journal id       16 octets
 *    32  number           u64
 *    40  first sequence   u64  no record in it has a smaller one
 *    48  made             i64  microseconds since 1970 UTC
 *    56  zeros
 *
 * The first 16 octets mean the same in every version, so that an older program knows a newer one's
 * journal and leaves it alone.
 */
#ifndef DSND_INGEST_JOURNAL_SEGMENT_H
#define DSND_INGEST_JOURNAL_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ingest/journal_files.h"

enum {
    JOURNAL_FORMAT_VERSION = 1,
    JOURNAL_SEGMENT_HEADER = 64,
    JOURNAL_SEGMENT_NAME_SIZE = 25, /* 16 digits, ".seg" or ".seg.tmp", NUL */
    JOURNAL_ID_OCTETS = 16,
};

/* Numbers are 1 to this, because the shared mark keeps them in 32 bits. */
#define JOURNAL_SEGMENT_MAX UINT32_MAX

struct journal_segment_header {
    uint32_t version;
    unsigned char id[JOURNAL_ID_OCTETS];
    uint64_t number;
    uint64_t first_sequence;
    int64_t made_us;
};

void journal_segment_name(uint64_t number, char ret_name[JOURNAL_SEGMENT_NAME_SIZE]);
/* Whether `name` is that of a segment, and of which. */
bool journal_segment_number(const char *name, uint64_t *ret_number);

void journal_segment_header_write(const struct journal_segment_header *self,
                                  char dst[JOURNAL_SEGMENT_HEADER]);
/*
 * DSND_ERR_VERSION: whole, but of a newer format, only `version` is set; DSND_ERR_CORRUPT: not a
 * whole header.
 */
DSND_MUST_CHECK
enum dsnd_err journal_segment_header_read(const char src[JOURNAL_SEGMENT_HEADER],
                                          struct journal_segment_header *ret_header);

/*
 * Make the segment, reserve `octets` for it where that is not 0 and the file system can, write its
 * header, and sync file and directory: once this returns, records in it cannot vanish with their
 * file. On an error no file is left. DSND_ERR_IO with errno.
 */
DSND_MUST_CHECK
enum dsnd_err journal_segment_make(const struct journal_files *files, int dir_fd,
                                   const struct journal_segment_header *header, uint64_t octets,
                                   int *ret_fd);

#endif
