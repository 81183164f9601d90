/*
 * What the writer does before its first append: cut what was never acknowledged, find where to go
 * on.
 */
#ifndef DSND_INGEST_JOURNAL_RECOVER_H
#define DSND_INGEST_JOURNAL_RECOVER_H

#include <stdint.h>

#include "base/err.h"
#include "ingest/journal.h"
#include "ingest/journal_dir.h"
#include "ingest/journal_shared.h"

struct journal_recovered {
    struct journal_recovery report;
    uint64_t next_segment;    /* never used before */
    uint64_t next_sequence;   /* larger than any that was acknowledged */
    struct journal_mark mark; /* the end of all that is durable */
};

/*
 * Under the writer's lock. Removes segments without a record, cuts the newest one behind its last
 * whole record, and syncs it. Damage before what the shared mark says was acknowledged stays.
 * DSND_ERR_IO; DSND_ERR_NOMEM; DSND_ERR_LIMIT: no segment number is left.
 */
DSND_MUST_CHECK
enum dsnd_err journal_recover(const struct journal_dir *dir, const struct journal_shared *shared,
                              struct journal_recovered *ret_recovered);

#endif
