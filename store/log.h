/*
 * What is remembered of the logs of mail servers: their files, and the messages that are still in a
 * server's queue, which later lines name by queue id only. Errors as store/query.h says.
 */
#ifndef DSND_STORE_LOG_H
#define DSND_STORE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/query.h"

enum { STORE_LOG_WAITING_MAX = 1000 }; /* recipients of one message */

/* A recipient who waits, and his last delay. Views are borrowed. */
struct store_log_waiting {
    struct dsnd_str recipient;
    struct dsnd_str remote_mta;
    struct dsnd_str diagnostic;
};

/* A message in the queue of a mail server. Views are borrowed. */
struct store_log_message {
    struct dsnd_str queue_id; /* behind the host and '/', where the log names it */
    struct dsnd_str sender;   /* of the envelope; absent while no line named it */
    struct dsnd_str message_id;
    int64_t queued_us;                 /* 0: not known */
    struct store_log_waiting *waiting; /* one a recipient */
    size_t waiting_count;
    bool waits_anew; /* they are to be written */
};

/* What a batch changes, in the transaction that moves the position. */
struct store_log_changes {
    int64_t source_id;
    const struct store_log_message *set; /* one a queue id */
    size_t set_count;
    const struct dsnd_str *removed; /* queue ids */
    size_t removed_count;
};

/* The number of the source of this name, which is made where it is new. */
DSND_MUST_CHECK
enum dsnd_err store_log_source(struct store_conn *conn, struct dsnd_str name, int64_t *ret_id);
/* Keep other programs from reading the source, as long as the connection lasts. */
DSND_MUST_CHECK
enum dsnd_err store_log_lock(struct store_conn *conn, int64_t source_id, bool *ret_mine);

enum store_log_file_column {
    STORE_LOG_FILE_ID,
    STORE_LOG_FILE_JOURNAL,
    STORE_LOG_FILE_INODE,
    STORE_LOG_FILE_FRONT_OCTETS,
    STORE_LOG_FILE_FRONT_SHA256, /* hexadecimal */
    STORE_LOG_FILE_OFFSET,       /* up to which it is stored */
    STORE_LOG_FILE_LINES,        /* up to there */
    STORE_LOG_FILE_OWN,          /* 1: of this source */
    STORE_LOG_FILE_DONE,         /* 1: read to its end, and nobody writes to it any more */
    STORE_LOG_FILE_NAME,
    STORE_LOG_FILE_COLUMNS,
};
/*
 * Files of the source, the one that was begun last first, then files of other sources with this
 * hash of their front.
 */
DSND_MUST_CHECK
enum dsnd_err store_log_files(struct store_conn *conn, int64_t source_id, struct dsnd_str sha256,
                              struct store_rows **ret_rows);

/* A file as it is now; `journal` is its key. */
struct store_log_file {
    struct dsnd_str journal;
    uint64_t inode;
    size_t front_octets;
    struct dsnd_str front_sha256; /* 32 octets */
    struct dsnd_str name;
    /* When it is done: */
    uint64_t octets;
    int64_t modified_ns; /* since 1970 */
};
DSND_MUST_CHECK
enum dsnd_err store_log_file_add(struct store_conn *conn, int64_t source_id,
                                 const struct store_log_file *file);
DSND_MUST_CHECK
enum dsnd_err store_log_file_set(struct store_conn *conn, const struct store_log_file *file);

/* It was read to its end: what the members from `inode` on say, but for the front, is kept. */
DSND_MUST_CHECK
enum dsnd_err store_log_file_done(struct store_conn *conn, const struct store_log_file *file);

/* Of a folder, where there may be many: in which lengths, up to `most`, fronts are on record; */
DSND_MUST_CHECK
enum dsnd_err store_log_file_lengths(struct store_conn *conn, int64_t source_id, size_t most,
                                     struct store_rows **ret_rows);
/* files with this inode, or one of these hashes of their fronts, the latest first, as above; */
DSND_MUST_CHECK
enum dsnd_err store_log_files_like(struct store_conn *conn, int64_t source_id, uint64_t inode,
                                   const struct dsnd_str *sha256, size_t count,
                                   struct store_rows **ret_rows);
enum store_log_done_column {
    STORE_LOG_DONE_NAME,
    STORE_LOG_DONE_JOURNAL,
    STORE_LOG_DONE_INODE,
    STORE_LOG_DONE_OCTETS,
    STORE_LOG_DONE_MODIFIED_NS,
};
/* all that are done, the latest last. */
DSND_MUST_CHECK
enum dsnd_err store_log_files_done(struct store_conn *conn, int64_t source_id,
                                   struct store_rows **ret_rows);
/*
 * Of the files that are done those with these journals are still there. What was not for 30 days is
 * forgotten.
 */
DSND_MUST_CHECK
enum dsnd_err store_log_files_present(struct store_conn *conn, int64_t source_id,
                                      const struct dsnd_str *journals, size_t count);

enum store_log_message_column {
    STORE_LOG_MESSAGE_QUEUE_ID,
    STORE_LOG_MESSAGE_SENDER,
    STORE_LOG_MESSAGE_MESSAGE_ID,
    STORE_LOG_MESSAGE_QUEUED_US,
    STORE_LOG_MESSAGE_RECIPIENT,
    STORE_LOG_MESSAGE_REMOTE_MTA,
    STORE_LOG_MESSAGE_DIAGNOSTIC,
    STORE_LOG_MESSAGE_COLUMNS,
};
/* Those of `count` queue ids that are known: a row for each who waits, one where nobody does. */
DSND_MUST_CHECK
enum dsnd_err store_log_find(struct store_conn *conn, int64_t source_id,
                             const struct dsnd_str *queue_ids, size_t count,
                             struct store_rows **ret_rows);

#endif
