/*
 * The batch writer: parsed journal records into rows, one transaction a batch, with the journal
 * position in the same transaction. Used by one thread of the pipeline.
 *
 * All numbers that must be exact are made here: each status once, each delivery in its strongest
 * state, totals that equal the deliveries, suppressions that follow from class and evidence.
 */
#ifndef DSND_STORE_WRITE_H
#define DSND_STORE_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "parse/provider.h"
#include "parse/report.h"
#include "parse/return_path.h"
#include "store/codes.h"
#include "store/log.h"
#include "store/store.h"

/* Why a message was set aside instead of becoming rows. The numbers are stored. */
enum store_quarantine {
    STORE_QUARANTINE_NONE = 0,
    STORE_QUARANTINE_PARSER_DIED = 1, /* it killed the parser twice */
    STORE_QUARANTINE_TOO_LARGE = 2,   /* parsing needed more memory than it may have */
    STORE_QUARANTINE_ROW_REFUSED = 3, /* PostgreSQL refused a row of it (SQLSTATE class 22 or 23) */
    STORE_QUARANTINE_CORRUPT = 4,     /* its journal record was damaged */
};

/* One received message, parsed. All views are borrowed for the call. */
struct store_item {
    uint64_t sequence; /* of the journal record: its key together with the journal's id */
    int64_t received_us;
    int source; /* enum journal_source */
    bool tls;
    struct dsnd_str peer;
    struct dsnd_str helo;
    struct dsnd_str mail_from;
    struct dsnd_str envelope_id;            /* ENVID of the SMTP envelope */
    const struct dsnd_str *envelope_to;     /* forward paths */
    const struct return_path *return_paths; /* what each of them says; same order and count */
    size_t envelope_to_count;
    /* RFC 3461: RET of MAIL, then NOTIFY and ORCPT of each of envelope_to; NULL: none was given. */
    const struct dsnd_str *envelope_parameters;
    /*
     * From the log of the sender's own mail server, and no report that it received: what it tells
     * of was sent, at `sent_us`, and is registered as POST /v1/sends does.
     */
    bool registers;
    int64_t sent_us;
    struct dsnd_str octets;      /* the raw message */
    struct dsnd_str receipt;     /* what is to be sent to mail_from; absent if nothing is */
    const struct report *report; /* NULL when quarantined before or instead of parsing */
    enum store_quarantine quarantine;
};

/* Attribution and suppression policy that configuration decides. */
struct store_policy {
    struct dsnd_str rules_version;
    const struct provider_set *providers; /* the operator's own; NULL: those built in */
    int64_t duplicate_window_us;      /* the same report again within it changes no count (7 d) */
    int64_t delay_horizon_us;         /* an open delay older than it has expired (5 d) */
    enum store_evidence min_evidence; /* records with less move no delivery */
    bool keep_raw;                    /* store the raw octets, compressed */
    const struct return_path_keys *keys; /* to verify return paths found in returned messages */
    int64_t return_path_max_age_us;
};

struct store_journal_position {
    const char *journal_id; /* 32 hex digits */
    uint64_t sequence;
    uint64_t segment;
    uint64_t offset;
    const struct store_log_changes *log; /* stored with it; NULL for a journal */
};

struct store_batch_result {
    size_t reports;
    size_t statuses;
    size_t duplicates;  /* reports that had been received before */
    size_t quarantined; /* set aside, for any reason */
    size_t sends;       /* registered as sent by this batch */
};

/* Where to go on; sequence 0 when the database has not seen the journal. */
DSND_MUST_CHECK
enum dsnd_err store_position_get(struct store_conn *conn, const char *journal_id,
                                 struct store_journal_position *ret_position);

/*
 * Store `items` (sequences ascending) and move the journal to `position`, all or nothing. Items at
 * or below the stored sequence are skipped, so the same batch may be given again after a doubt.
 *
 * A row that PostgreSQL refuses is found by bisection; its message is quarantined and the rest goes
 * in. DSND_ERR_UNAVAILABLE: connection lost or transaction to be repeated; nothing is known to be
 * stored, read the position again. DSND_ERR_VERSION: the schema is not ours; nothing was written.
 * DSND_ERR_CONFLICT: another pipeline moved this journal meanwhile.
 */
DSND_MUST_CHECK
enum dsnd_err store_write_batch(struct store_conn *conn, const struct store_policy *policy,
                                const struct store_journal_position *position,
                                const struct store_item *items, size_t count,
                                struct store_batch_result *ret_result);

/*
 * What has to happen as time passes: make partitions ahead, drop those beyond retention, close
 * delays beyond the horizon, open and close incidents, expire suppressions, forget old duplicate
 * keys. Call every minute; several callers at once are harmless. DSND_ERR_UNAVAILABLE,
 * DSND_ERR_VERSION.
 */
struct store_retention {
    int64_t raw_us;
    int64_t status_us;
    int64_t delay_horizon_us;
    int64_t duplicate_window_us;
};
DSND_MUST_CHECK
enum dsnd_err store_maintain(struct store_conn *conn, const struct store_retention *retention,
                             int64_t now_us);

#endif
