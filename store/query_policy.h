/*
 * After how many failures of a class an address is suppressed, for how long, and who changed what.
 * Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_POLICY_H
#define DSND_STORE_QUERY_POLICY_H

#include <stdbool.h>

#include "store/query.h"

enum store_policy_column {
    STORE_POLICY_CLASS,
    STORE_POLICY_THRESHOLD, /* 0 never, 1 at once */
    STORE_POLICY_WINDOW_S,
    STORE_POLICY_DISTINCT_DAYS,
    STORE_POLICY_EXPIRES_S,
    STORE_POLICY_PROBATION_S,
    STORE_POLICY_RELAPSE_LASTS,
    STORE_POLICY_EVIDENCE, /* enum store_evidence */
    STORE_POLICY_CHANGED_AT,
    STORE_POLICY_CHANGED_BY,
    STORE_POLICY_COLUMNS,
};
/* One row a class; of one class alone where `klass` is not below 0. */
DSND_MUST_CHECK
enum dsnd_err store_policy_list(struct store_conn *conn, int klass, struct store_rows **ret_rows);

struct store_suppression_policy {
    int klass;         /* enum report_class */
    int16_t threshold; /* 0 never, 1 at once, N within the window */
    int32_t window_s;  /* 0 where threshold is below 2 */
    int16_t distinct_days;
    int32_t expires_s;   /* below 0: never */
    int32_t probation_s; /* below 0: none */
    bool relapse_lasts;
    int16_t evidence; /* the least enum store_evidence that counts; never NONE */
};
/* What comes from now on is judged by it; the change is noted. DSND_ERR_REFUSED: contradictory. */
DSND_MUST_CHECK
enum dsnd_err store_policy_put(struct store_conn *conn,
                               const struct store_suppression_policy *policy);

/* Who is behind the changes that this connection makes from now on, noted with each. */
DSND_MUST_CHECK
enum dsnd_err store_actor_token(struct store_conn *conn, int64_t token_id);
DSND_MUST_CHECK
enum dsnd_err store_actor_name(struct store_conn *conn, const char *name);

enum store_history_column {
    STORE_HISTORY_AT,
    STORE_HISTORY_OP, /* enum store_suppression_op */
    STORE_HISTORY_CLASS,
    STORE_HISTORY_SOURCE, /* enum store_suppression_source */
    STORE_HISTORY_ACTOR,
    STORE_HISTORY_NOTE,
    STORE_HISTORY_CAMPAIGN,
    STORE_HISTORY_EXPIRES_AT,
    STORE_HISTORY_STATUS_IDS, /* a JSON array */
    STORE_HISTORY_SEQ,        /* in the feed; NULL for what did not change the list */
    STORE_HISTORY_COLUMNS,
};
/* All that happened to the entry of an address, the first first; at most 1,000 rows. */
DSND_MUST_CHECK
enum dsnd_err store_suppression_history(struct store_conn *conn, struct dsnd_str address,
                                        struct store_rows **ret_rows);

#endif
