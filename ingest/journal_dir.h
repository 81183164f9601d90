/*
 * The journal's directory: its id, its locks, the list of its segments, damaged octets put aside.
 */
#ifndef DSND_INGEST_JOURNAL_DIR_H
#define DSND_INGEST_JOURNAL_DIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "ingest/journal.h"
#include "ingest/journal_files.h"
#include "ingest/journal_segment.h"

/* An open directory, locked for one role. */
struct journal_dir {
    const struct journal_files *files;
    int fd;
    int lock_fd;
    unsigned char id[JOURNAL_ID_OCTETS];
    char id_text[JOURNAL_ID_SIZE];
    uint32_t salt; /* from the id, for record headers */
};

#define JOURNAL_WRITER_LOCK "journal.writer"
#define JOURNAL_READER_LOCK "journal.reader"

/*
 * Open the directory, made when missing (its parent must exist), take the lock, read the id or make
 * one. DSND_ERR_CONFLICT: the lock is taken; DSND_ERR_VERSION: the newest segment is of a newer
 * format; DSND_ERR_IO; DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err journal_dir_open(struct journal_dir *self, const struct journal_files *files,
                               const char *path, const char *lock);
void journal_dir_close(struct journal_dir *self);

/* Numbers of the segments there are, ascending; free() the array. DSND_ERR_IO, DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err journal_dir_list(const struct journal_dir *self, uint64_t **ret_numbers,
                               size_t *ret_count);

/* Open a segment. DSND_ERR_NOT_FOUND; DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err journal_dir_open_segment(const struct journal_dir *self, uint64_t number,
                                       int open_flags, int *ret_fd);

/*
 * Keep a copy of damaged octets [from, to) of a segment in corrupt/. As well as it can: the octets
 * also stay in the segment for as long as that is kept.
 */
void journal_dir_set_aside(const struct journal_dir *self, int segment_fd, uint64_t number,
                           uint64_t from, uint64_t to);

#endif
