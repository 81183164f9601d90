/*
 * journal.state: one page of memory that writer and reader share through a file. It survives both
 * processes. After a crash of the machine it may be older than the segments, never newer: the mark
 * moves only once fdatasync returned. Nothing durable depends on it.
 *
 * Every member is atomic; each is written by one side only. A mark is one 64-bit number, so a
 * process that dies between two stores leaves no half of it.
 */
#ifndef DSND_INGEST_JOURNAL_SHARED_H
#define DSND_INGEST_JOURNAL_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ingest/journal.h"

enum {
    JOURNAL_DEATHS_MAX = 64,
    JOURNAL_KILLS_A_DEATH = 4, /* that no crash explains: most come from outside */
};

/* How often a reader died on a record. */
struct journal_death {
    _Atomic uint64_t sequence; /* 0: the row is free */
    _Atomic uint32_t crashes;
    _Atomic uint32_t kills;
};

struct journal_shared {
    _Atomic uint64_t magic;
    /* by the writer */
    _Atomic uint64_t mark;      /* durable up to here; journal_mark_pack */
    _Atomic uint64_t committed; /* the last durable sequence */
    _Atomic uint32_t commits;   /* grows with each mark; the futex the reader sleeps on */
    /* by the reader */
    _Atomic uint32_t waiting; /* 1 while it sleeps */
    _Atomic uint64_t applied; /* the last sequence stored */
    _Atomic uint64_t working[JOURNAL_WORKERS_MAX];
    struct journal_death deaths[JOURNAL_DEATHS_MAX];
    _Atomic uint32_t crashed; /* 1: it is about to end by its own fault */
};

/* Map the page at `dir_fd`, made or begun anew when it is missing or not ours. DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err journal_shared_open(int dir_fd, struct journal_shared **ret_shared);
void journal_shared_close(struct journal_shared *self);

/* A place: segment number and an offset in it, a multiple of 8 below 32 GB. */
struct journal_mark {
    uint64_t segment;
    uint64_t offset;
};
uint64_t journal_mark_pack(struct journal_mark mark);
struct journal_mark journal_mark_unpack(uint64_t packed);

/* Writer: all before `mark`, up to `sequence`, is durable. Wakes the reader. */
void journal_shared_commit(struct journal_shared *self, struct journal_mark mark,
                           uint64_t sequence);
/* Reader: how far it may read; segment 0 where no writer has said so yet. */
struct journal_mark journal_shared_mark(const struct journal_shared *self);
/* Reader: sleep while the mark is still `seen`, at most `timeout_ms`. */
void journal_shared_wait(struct journal_shared *self, struct journal_mark seen,
                         unsigned timeout_ms);

/* Reader: what the process before this one left in `working` killed it; count and clear. */
void journal_shared_bury(struct journal_shared *self);
unsigned journal_shared_deaths(const struct journal_shared *self, uint64_t sequence);

#endif
