/*
 * What `dsnd ingest` holds besides the file it reads: keys, rules, the connection, the batch under
 * way, and what it will say at its end. One thread.
 */
#ifndef DSND_CMD_INGEST_SESSION_H
#define DSND_CMD_INGEST_SESSION_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/log_files.h"
#include "cmd/log_reader.h"
#include "parse/mta_log.h"

struct ingest_session;

struct ingest_options {
    enum mta_log_format format;
    const char *path;
    const char *name;   /* NULL: machine and path */
    const char *config; /* NULL: the default */
    bool keep_foreign;  /* results of other mail, too */
    bool waits;         /* while another reads the log; else it is refused */
};

/* -1 to go on, else the exit status; what is wrong has been printed. */
DSND_MUST_CHECK
int ingest_session_new(const struct ingest_options *options, struct ingest_session **ret_session);
void ingest_session_free(struct ingest_session *self);

/* The file to read next; as log_files_next. */
DSND_MUST_CHECK
enum dsnd_err ingest_session_choose(struct ingest_session *self, const char *path,
                                    struct log_file *ret_file, enum log_files_note *ret_note);
/* Lines of this file follow. */
void ingest_session_begin(struct ingest_session *self, const struct log_file *file);
/* One line; absent where it was too long. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err ingest_session_line(struct ingest_session *self, const struct log_file *file,
                                  const struct log_reader *reader, struct dsnd_str line);
bool ingest_session_full(const struct ingest_session *self);
/*
 * Store the lines read and the position behind them. DSND_ERR_UNAVAILABLE: to be done again; the
 * connection will be a new one.
 */
DSND_MUST_CHECK
enum dsnd_err ingest_session_store(struct ingest_session *self, struct log_file *file,
                                   const struct log_reader *reader);
/* The file is read to its end, and nobody writes to it any more. */
DSND_MUST_CHECK
enum dsnd_err ingest_session_done(struct ingest_session *self, struct log_file *file);

/* Say what was done, and what went wrong; true where nothing did. */
bool ingest_session_end(struct ingest_session *self, enum dsnd_err err);

#endif
