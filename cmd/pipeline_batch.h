/*
 * A batch on its way from the journal to the database: journal records, parsed into store items.
 * Built by the pipeline's main thread, then handed whole to the writer thread, then cleared and
 * built again.
 */
#ifndef DSND_CMD_PIPELINE_BATCH_H
#define DSND_CMD_PIPELINE_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "ingest/journal.h"
#include "parse/parse.h"
#include "parse/return_path.h"
#include "store/write.h"

enum {
    BATCH_OCTETS_MAX = 16 * 1024 * 1024, /* of messages; the first one is taken whatever its size */
    BATCH_MESSAGE_ARENA =
        32 * 1024 * 1024, /* what parsing one message may take beyond its octets */
};

struct pipeline_batch {
    struct dsnd_arena arena; /* everything the items point to */
    struct store_item *items;
    size_t count;
    size_t max;
    size_t octets;
    struct journal_position position; /* once all items are stored */
};

/* What turns a record into an item; borrowed by the batch functions. */
struct pipeline_context {
    struct parser *parser;
    const struct return_path_keys *keys;
    int64_t max_age_us;     /* of a signed return path */
    const char *hostname;   /* the machine's, for receipts */
    const char *journal_id; /* as journal_reader_id gives it */
};

DSND_MUST_CHECK
enum dsnd_err pipeline_batch_new(size_t max_items, struct pipeline_batch **ret_batch);
void pipeline_batch_free(struct pipeline_batch *self);
void pipeline_batch_clear(struct pipeline_batch *self);
bool pipeline_batch_full(const struct pipeline_batch *self);

/*
 * Copy `record` into the batch and parse it, or set it aside where `quarantine` says why. A message
 * that needs more memory than it may have is set aside too. DSND_ERR_NOMEM: not even its octets
 * fit; nothing was added.
 */
DSND_MUST_CHECK
enum dsnd_err pipeline_batch_add(struct pipeline_batch *self,
                                 const struct pipeline_context *context,
                                 const struct journal_record *record,
                                 enum store_quarantine quarantine);

#endif
