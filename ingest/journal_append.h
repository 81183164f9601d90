/*
 * The committer's side of the journal: where records are written, and what happens when that
 * fails. Used by the committer thread alone.
 */
#ifndef DSND_INGEST_JOURNAL_APPEND_H
#define DSND_INGEST_JOURNAL_APPEND_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "ingest/journal.h"
#include "ingest/journal_dir.h"
#include "ingest/journal_shared.h"
#include "ingest/journal_space.h"

/* A record that waits for its commit. */
struct journal_node {
    struct journal_node *next;
    journal_done_fn done;
    void *context;
    size_t octets;
    uint64_t sequence; /* once written */
    char record[];     /* encoded */
};

/* An open segment; fd -1: none. */
struct journal_tail {
    int fd;
    uint64_t number;
    uint64_t end; /* behind the last durable record */
};

/*
 * States: working (current.fd >= 0, failure 0) and failed (failure != 0). In the failed state
 * `abandoned` is the segment in which a write or sync failed; its descriptor is only read from.
 */
struct journal_append {
    struct journal_dir *dir;
    struct journal_shared *shared;
    struct journal_space *space;
    uint64_t segment_octets;
    uint64_t next_segment;
    uint64_t next_sequence;
    struct journal_tail current;
    struct journal_tail prepared; /* made ahead, so that a change of segment costs little */
    struct journal_tail abandoned;
    bool names_unsynced;  /* the directory must be synced before anything is accepted */
    int64_t retry_ms;     /* monotonic: when to try again, or to prepare again */
    _Atomic int *failure; /* errno, 0 while working */
};

/*
 * Write `nodes` behind each other with one sync, split only where a segment is full; each node is
 * called back, then freed.
 */
void journal_append_commit(struct journal_append *self, struct journal_node *nodes);
/* Make the next segment ahead when the current one is half full. */
void journal_append_prepare(struct journal_append *self);
/*
 * From the failed state back to work. The durable records of the abandoned segment are copied into
 * a new file that then takes its name: pages that failed to reach the disk are marked clean, so
 * nothing else that lies in them may be trusted, and the records that were refused are gone.
 * Otherwise it stays failed and is due again in a second.
 */
void journal_append_revive(struct journal_append *self);
/* Cut the current segment at its end, remove empty ones, close all. */
void journal_append_close(struct journal_append *self);

#endif
