/*
 * Stored records judged again: by other rules from what the rows say, or from the raw message where
 * it is kept. A dry run tells what would change; else it is changed, batch by batch, while the
 * writer goes on, and all counts stay those of the records: deliveries, totals, rule hits, the
 * guard. Suppressions follow at the end, from all records of each address concerned.
 *
 * A run that was cut off, at whatever point, goes on when the same is asked for again, to the
 * newest report there is then; from the start where a later run has judged some of the same
 * records. One at a time on a database. Used by one thread.
 */
#ifndef DSND_STORE_RECLASSIFY_H
#define DSND_STORE_RECLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/report.h"
#include "store/write.h"

/* A record that changes in more than the version of its rules. */
struct store_reclassified {
    int64_t status_id;
    const struct report_recipient *before; /* NULL: there was none */
    const struct report_recipient *after;  /* NULL: there is none any more */
};

/* What becomes of one suppression. */
struct store_resuppressed {
    bool lifted;             /* else added, or `was` replaced */
    enum report_class was;   /* NONE where there was none */
    enum report_class after; /* NONE where it is lifted */
    struct dsnd_str who;     /* address, or ref where no address is named */
};

struct store_reclassify_counts {
    bool resumed; /* the counts hold what an earlier run has done */
    uint64_t reports;
    uint64_t statuses;
    uint64_t changed;
    uint64_t added;  /* suppressions; this run only */
    uint64_t lifted; /* the same */
};

struct store_reclassify {
    struct dsnd_str program;  /* its version: what the parser is */
    struct dsnd_str campaign; /* absent: all */
    int64_t from_us;          /* of receipt; 0: no bound, here and below */
    int64_t to_us;
    bool reparse; /* parse raw messages where they are kept */
    bool apply;
    int32_t batch; /* reports a transaction at most */
    void *context; /* of the functions */
    /*
     * Judge one report by the new rules. `octets` present: parse them into `*report`, which is all
     * absent; else `*report` is what the rows say, and its recipients are classified again in
     * place. DSND_ERR_NOMEM: it cannot be, and stays as it is.
     */
    enum dsnd_err (*judge)(void *context, struct dsnd_str octets, struct dsnd_arena *arena,
                           struct report *report);
    void (*changed)(void *context, const struct store_reclassified *change);
    void (*suppressed)(void *context, const struct store_resuppressed *change);
    /* After each batch; false ends the run, which may go on later. */
    bool (*progress)(void *context, const struct store_reclassify_counts *counts);
};

/*
 * `policy->rules_version` is that of the rules that `judge` applies.
 *
 * DSND_ERR_CONFLICT: another run is under way; DSND_ERR_NOT_FOUND: no such campaign;
 * DSND_ERR_UNAVAILABLE: the database is away, or `progress` ended it; DSND_ERR_VERSION;
 * DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err store_reclassify(struct store_conn *conn, const struct store_policy *policy,
                               const struct store_reclassify *what,
                               struct store_reclassify_counts *ret_counts);

/*
 * Judge from all their records whose suppressions lost their cause since, or whose cause a person
 * released; not while an erasure is under way. Any number at a time. DSND_ERR_UNAVAILABLE,
 * DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err store_judge_doubted(struct store_conn *conn);

#endif
