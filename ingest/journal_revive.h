/*
 * Replacing a segment in which a write or a sync failed.
 */
#ifndef DSND_INGEST_JOURNAL_REVIVE_H
#define DSND_INGEST_JOURNAL_REVIVE_H

#include "ingest/journal_append.h"

/*
 * Copy the durable octets of `tail` into a new file, sync that, and give it the segment's name.
 * The directory is still to be synced. Offsets stay what they were, so positions keep their
 * meaning. A reader that holds the old file open sees that it has no name any more and opens the
 * new one. DSND_ERR_IO, DSND_ERR_NOMEM: the segment is as before.
 */
DSND_MUST_CHECK
enum dsnd_err journal_revive_copy(const struct journal_dir *dir, const struct journal_tail *tail);

#endif
