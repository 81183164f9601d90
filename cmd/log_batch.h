/*
 * Events of a log on their way to the database: joined by queue id, and those of our messages made
 * into items for the batch writer. One thread.
 */
#ifndef DSND_CMD_LOG_BATCH_H
#define DSND_CMD_LOG_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "parse/mta_log.h"
#include "parse/return_path.h"
#include "parse/rules.h"
#include "store/log.h"
#include "store/write.h"

enum {
    LOG_BATCH_EVENTS = 2000,
    LOG_BATCH_OCTETS = 16 * 1024 * 1024, /* of their lines */
};

/* What decides; borrowed. */
struct log_context {
    const struct return_path_keys *keys;
    int64_t max_age_us;
    const struct rule_set *rules;
    struct rule_scratch *scratch;
    int64_t source_id;
    bool keep_foreign; /* results of messages without a return path of ours, too */
};

struct log_counts {
    uint64_t sent; /* registered, as the database says */
    uint64_t delivered;
    uint64_t delayed;
    uint64_t failed;
    uint64_t complaints;
    uint64_t foreign;  /* results of other mail */
    uint64_t unknown;  /* results of messages whose sender no line has told */
    uint64_t repeated; /* lines that had been read before */
    uint64_t refused;  /* set aside */
};

struct log_pending {
    struct mta_event event;
    struct dsnd_str line;
    uint64_t sequence;
};

struct log_batch {
    struct dsnd_arena arena;
    struct log_pending *events;
    size_t event_count;
    size_t octets;
    /* Made of them by log_batch_join. */
    struct store_item *items;
    size_t item_count;
    struct store_log_changes changes;
    struct log_counts counts;
};

/* DSND_ERR_NOMEM; log_batch_done in any case. */
DSND_MUST_CHECK
enum dsnd_err log_batch_init(struct log_batch *self);
void log_batch_done(struct log_batch *self);
DSND_MUST_CHECK
enum dsnd_err log_batch_clear(struct log_batch *self);
bool log_batch_full(const struct log_batch *self);

/* Add a copy of `event`, read from `line`, which ends at the offset `sequence`. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err log_batch_add(struct log_batch *self, const struct mta_event *event,
                            struct dsnd_str line, uint64_t sequence);

/*
 * Find out whose the events are, asking the database for messages that earlier lines told of, and
 * make the items. Done again it begins anew. Errors of the database, DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err log_batch_join(struct log_batch *self, const struct log_context *context,
                             struct store_conn *conn);

#endif
