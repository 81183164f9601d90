/*
 * Which file of a log is to be read next. Rotation renames a log, or copies it and empties the
 * original; so a file is known by what its front holds, and by its inode where two begin alike,
 * never by its name. One thread.
 */
#ifndef DSND_CMD_LOG_FILES_H
#define DSND_CMD_LOG_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "ingest/journal.h"
#include "store/digest.h"
#include "store/log.h"

enum {
    LOG_FRONT_MAX = 4096, /* octets of a file by which it is known */
};

struct log_file {
    char path[PATH_MAX];
    int fd; /* -1: none */
    uint64_t inode;
    uint64_t size;
    struct timespec modified;
    char front[LOG_FRONT_MAX];
    size_t front_octets;
    /* What the database knows of it. */
    bool is_known;
    bool is_done;
    char journal[JOURNAL_ID_SIZE];
    uint64_t offset;
    uint64_t lines;
    size_t known_octets; /* of the front that is on record */
    bool is_old;         /* another took its place */
    bool of_folder;      /* the log is a folder of files */
};

/* DSND_ERR_IO: errno tells; DSND_ERR_NOT_FOUND: no regular file; DSND_ERR_LIMIT: a longer path. */
DSND_MUST_CHECK
enum dsnd_err log_file_open(const char *path, struct log_file *ret_file);
void log_file_close(struct log_file *self);
/* gzip, xz, bzip2: what rotation did to a file that was read before, or should have been. */
bool log_file_is_packed(const struct log_file *self);

/* Read size and front again, unless it has another front now. DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err log_file_look(struct log_file *self);
/* Somebody emptied the file, or wrote another front over it, since log_file_look or before it. */
bool log_file_was_replaced(const struct log_file *self, uint64_t offset);
/* At `path` stands this very file. True also where nothing stands there now. */
bool log_file_is_at(const struct log_file *self, const char *path);

/* What is on record of the file: a new journal where it is not known. */
DSND_MUST_CHECK
enum dsnd_err log_file_record(struct log_file *self, struct store_conn *conn, int64_t source_id);

/*
 * Find out which file of the source it is, of those on record: of several that begin alike the one
 * with its inode, else the latest. Errors of the database, DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err log_file_recognise(struct log_file *self, struct store_conn *conn, int64_t source_id);
/* Put on record that the file, which is known, was read to its end, and as what it stands there. */
DSND_MUST_CHECK
enum dsnd_err log_file_end(struct log_file *self, struct store_conn *conn);

/* What log_files_next found besides the file. */
enum log_files_note {
    LOG_FILES_FOUND,
    LOG_FILES_LOST, /* the file read last is not there any more: its rest may not have been read */
};

/*
 * The file to read now, of the log at `path`: the one read last, from where it was left, then those
 * that took its place, oldest first. DSND_ERR_IO: errno tells, of `path`. Errors of the database.
 */
DSND_MUST_CHECK
enum dsnd_err log_files_next(struct store_conn *conn, int64_t source_id, const char *path,
                             struct log_file *ret_file, enum log_files_note *ret_note);

#endif
