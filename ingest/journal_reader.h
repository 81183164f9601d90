/*
 * The reader's own structure, for the files that make it up. One thread at a time, except for
 * `shared`.
 */
#ifndef DSND_INGEST_JOURNAL_READER_H
#define DSND_INGEST_JOURNAL_READER_H

#include "base/arena.h"
#include "ingest/journal.h"
#include "ingest/journal_dir.h"
#include "ingest/journal_scan.h"
#include "ingest/journal_shared.h"

/* A segment that lies wholly before the position and waits for its age. */
struct journal_aged {
    uint64_t number;
    int64_t last_received_us; /* INT64_MIN: not looked at yet */
};

struct journal_reader {
    struct journal_dir dir;
    struct journal_shared *shared;
    struct dsnd_arena arena; /* recipients of the records handed out */
    struct journal_scan scan;
    uint64_t number;                  /* of the open segment; 0: none */
    int fd;                           /* of it; -1: none */
    bool sealed;                      /* a newer segment is in use, so its size is its end */
    bool ended;                       /* sealed, and its records are all read */
    struct journal_mark seen;         /* the mark that gave the present limit */
    uint64_t last;                    /* the last sequence handed out */
    struct journal_position position; /* stored up to here */
    struct journal_aged *aged;
    size_t aged_count;
    size_t aged_first;     /* those before it are deleted */
    uint64_t aged_segment; /* the position's segment when the list was made; 0: never */
};

/* Close the open segment. */
void journal_reader_leave(struct journal_reader *self);
/* Open a segment at `offset`. DSND_ERR_NOT_FOUND, DSND_ERR_VERSION, DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err journal_reader_enter(struct journal_reader *self, uint64_t number, uint64_t offset);
/* The first segment behind `number`, not above the mark. DSND_ERR_NOT_FOUND and others. */
DSND_MUST_CHECK
enum dsnd_err journal_reader_following(const struct journal_reader *self, uint64_t number,
                                       uint64_t *ret_number);
/*
 * The header of the record at `offset` of a segment. DSND_ERR_NOT_FOUND: none is there, for
 * whatever reason; DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err journal_reader_header_at(const struct journal_reader *self, uint64_t number,
                                       uint64_t offset, struct journal_record_header *ret_header);

#endif
