/*
 * A log that is a folder of files: which of them is to be read next. Files that were read to their
 * end are known by path, inode, size and time, and are not opened again; the folder is listed at
 * most once a second; of a folder of any size the oldest files come first. One thread.
 */
#ifndef DSND_CMD_LOG_FOLDER_H
#define DSND_CMD_LOG_FOLDER_H

#include "cmd/log_files.h"

struct log_entry;

struct log_folder {
    void *passed; /* tree of entries that need not be opened while they are as they are */
    struct log_entry **entries; /* the others, the oldest first */
    size_t count;
    size_t at;          /* the entry that comes next */
    bool is_cut;        /* there are more, all younger than these */
    bool is_loaded;     /* the database has told what is done */
    unsigned scan;      /* number of the last listing */
    int64_t scanned_ms; /* when it was made */
    int64_t told_ms;    /* when the database was last told what is gone */
};

/* All members zero make an empty one. */
void log_folder_done(struct log_folder *self);

/*
 * The oldest file of the folder at `path` that is not read to its end; it is old where a younger
 * one is there. DSND_ERR_NOT_FOUND: there is none. DSND_ERR_IO: errno tells, of `path`.
 * DSND_ERR_NOMEM. Errors of the database.
 */
DSND_MUST_CHECK
enum dsnd_err log_folder_next(struct log_folder *self, struct store_conn *conn, int64_t source_id,
                              const char *path, struct log_file *ret_file);

/* Pass `file` by while it is as it is now; it is done, or none of the log's. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err log_folder_pass(struct log_folder *self, const struct log_file *file);

#endif
