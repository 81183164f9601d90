/*
 * The pipeline's writer thread: stores one batch at a time in PostgreSQL, as often as it takes,
 * while the main thread reads and parses the next. It owns the only database connection. All
 * functions here are for the main thread.
 */
#ifndef DSND_CMD_PIPELINE_WRITER_H
#define DSND_CMD_PIPELINE_WRITER_H

#include "base/err.h"
#include "cmd/pipeline_batch.h"
#include "store/write.h"

struct pipeline_writer;

struct pipeline_writer_settings {
    const char *database_url;
    const char *journal_id;
    struct store_policy policy;
    struct store_retention retention;
};

enum pipeline_writer_state {
    PIPELINE_WRITER_CONNECTING, /* the database has not yet said where to go on */
    PIPELINE_WRITER_IDLE,       /* everything put so far is stored */
    PIPELINE_WRITER_BUSY,       /* a batch is being stored, or the database is away meanwhile */
    PIPELINE_WRITER_START_OVER, /* the database's position is not ours any more: end and begin anew
                                 */
};

/*
 * Start the thread, which connects by itself, as often as it takes. `settings` is copied; what it
 * points to is borrowed until the writer is freed. DSND_ERR_NOMEM, DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err pipeline_writer_new(const struct pipeline_writer_settings *settings,
                                  struct pipeline_writer **ret_writer);
/* Ends the thread once its transaction is over; a batch that is not stored stays in the journal. */
void pipeline_writer_free(struct pipeline_writer *self);

/* The state, after waiting at most `timeout_ms` for IDLE or START_OVER. */
enum pipeline_writer_state pipeline_writer_wait(struct pipeline_writer *self, unsigned timeout_ms);

/* The last position stored; only while idle. */
struct journal_position pipeline_writer_position(struct pipeline_writer *self);

/* Store `batch`; only while idle. It must not be touched until the writer is idle again. */
void pipeline_writer_put(struct pipeline_writer *self, const struct pipeline_batch *batch);

/* Only while idle. */
void pipeline_writer_set_policy(struct pipeline_writer *self, const struct store_policy *policy);

#endif
