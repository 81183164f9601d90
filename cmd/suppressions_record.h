/*
 * Cuts a file of addresses into records: a line each, or more lines of CSV where a quoted cell goes
 * over their ends. However the file is made, no more of it than two records is in memory, and what
 * cannot be a record costs no other one. One thread.
 */
#ifndef DSND_CMD_SUPPRESSIONS_RECORD_H
#define DSND_CMD_SUPPRESSIONS_RECORD_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

enum { RECORD_OCTETS_MAX = 64 * 1024 };

enum record_got {
    RECORD_END,
    RECORD_WHOLE,
    RECORD_LONG, /* a line too long, read to its end */
    RECORD_OPEN, /* a line with a quote that nothing closes; the lines behind it are read again */
};

struct record_reader {
    FILE *file;
    struct dsnd_buf text;  /* the record, with its line ends */
    struct dsnd_buf line;  /* read last */
    struct dsnd_buf again; /* lines that were read behind an open quote */
    size_t again_at;       /* where of them the next line begins */
    uint64_t number;       /* of the line read last, from 1 */
    uint64_t first;        /* of the line with which the record begins */
};

/* For a file that is read from its start. */
void record_reader_init(struct record_reader *self, FILE *file);
/* Free what it holds; `file` is the caller's. */
void record_reader_done(struct record_reader *self);

/* The next record is in `text` where it is whole. DSND_ERR_IO; DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err record_next(struct record_reader *self, enum record_got *ret_got);

#endif
