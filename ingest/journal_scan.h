/*
 * Reading a segment record by record, past damage. Recovery and reader use the same code, so what
 * one of them counts as a record the other serves. One thread at a time.
 */
#ifndef DSND_INGEST_JOURNAL_SCAN_H
#define DSND_INGEST_JOURNAL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ingest/journal_files.h"
#include "ingest/journal_record.h"

enum journal_scan_kind {
    JOURNAL_SCAN_END,    /* nothing before the limit, or only zeros that were reserved */
    JOURNAL_SCAN_RECORD, /* checksums hold */
    JOURNAL_SCAN_DAMAGE,
};

struct journal_scan_item {
    enum journal_scan_kind kind;
    uint64_t offset;
    uint64_t end;
    bool header_whole;                   /* DAMAGE: of one record, whose header is known */
    struct journal_record_header header; /* RECORD, and DAMAGE where whole */
    const char *octets;                  /* RECORD: all of it, until journal_scan_release */
    uint64_t next_sequence;              /* DAMAGE: of the record behind it; 0: none was found */
};

struct journal_block;

struct journal_scan {
    const struct journal_files *files;
    int fd; /* borrowed */
    uint32_t salt;
    bool zeros_end;                /* reserved space may follow the records */
    uint64_t offset;               /* of the next item; the caller moves it to `end` */
    uint64_t limit;                /* nothing behind it is read */
    uint64_t last_sequence;        /* of the records passed */
    struct journal_block *block;   /* what was read around `offset` */
    struct journal_block *retired; /* read before; views may borrow from them */
};

void journal_scan_init(struct journal_scan *self, const struct journal_files *files, uint32_t salt);
void journal_scan_done(struct journal_scan *self);
/* Go on in another file. Views stay valid. */
void journal_scan_file(struct journal_scan *self, int fd, uint64_t offset);
/* Forget the views handed out. */
void journal_scan_release(struct journal_scan *self);

/*
 * What stands at `offset`; does not move it. Of damage a header that is whole tells where it ends;
 * else the next valid header is searched for, in linear time. DSND_ERR_IO; DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err journal_scan_peek(struct journal_scan *self, struct journal_scan_item *ret_item);
/* The same, and move behind it. */
DSND_MUST_CHECK
enum dsnd_err journal_scan_next(struct journal_scan *self, struct journal_scan_item *ret_item);

/* `octets` at `offset` in one piece, until journal_scan_release. DSND_ERR_IO; DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err journal_scan_view(struct journal_scan *self, uint64_t offset, size_t octets,
                                const char **ret_view);

#endif
