/*
 * Is there disk space above the reserve? Asked for each message, answered by the system at most
 * four times a second. Any thread.
 */
#ifndef DSND_INGEST_JOURNAL_SPACE_H
#define DSND_INGEST_JOURNAL_SPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ingest/journal_files.h"

struct journal_space {
    const struct journal_files *files;
    int dir_fd;
    uint64_t min_free_octets;
    _Atomic uint64_t free_octets; /* as last asked */
    _Atomic int64_t asked_ms;     /* monotonic */
};

void journal_space_init(struct journal_space *self, const struct journal_files *files, int dir_fd,
                        uint64_t min_free_octets);
/* More than the reserve is free. */
bool journal_space_ok(struct journal_space *self);
/* How many of `octets` may be reserved for a segment now: all of them or 0. Asks the system. */
uint64_t journal_space_grant(struct journal_space *self, uint64_t octets);

#endif
