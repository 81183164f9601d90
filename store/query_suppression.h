/*
 * The suppression list and the feed of its changes. Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_SUPPRESSION_H
#define DSND_STORE_QUERY_SUPPRESSION_H

#include <stdbool.h>

#include "store/digest.h"
#include "store/query.h"

enum store_suppression_column {
    STORE_SUPPRESSION_HASH, /* this and what follows by store_rows_text */
    STORE_SUPPRESSION_ADDRESS,
    STORE_SUPPRESSION_CAMPAIGN,
    STORE_SUPPRESSION_REF,
    STORE_SUPPRESSION_CLASS,    /* enum report_class; 0 by hand */
    STORE_SUPPRESSION_EVIDENCE, /* enum store_evidence */
    STORE_SUPPRESSION_SOURCE,   /* enum store_suppression_source */
    STORE_SUPPRESSION_PENDING,
    STORE_SUPPRESSION_SINCE,
    STORE_SUPPRESSION_EXPIRES_AT,
    STORE_SUPPRESSION_STATUS_IDS, /* a list */
    STORE_SUPPRESSION_NOTE,
    STORE_SUPPRESSION_COLUMNS,
};

enum { STORE_SUPPRESSION_NOTE_MAX = 500 }; /* octets of a note that a person gives */

/* DSND_ERR_NOT_FOUND: not suppressed now. */
DSND_MUST_CHECK
enum dsnd_err store_suppression_get(struct store_conn *conn, struct dsnd_str address,
                                    struct store_rows **ret_rows);

/* Absent members, and numbers below 0, do not filter. */
struct store_suppression_filter {
    struct dsnd_str campaign;
    struct dsnd_str from; /* since at or after; time text */
    struct dsnd_str to;   /* since before */
    int klass;            /* enum report_class */
    int pending;          /* 0 no, 1 yes */
    bool hashed;          /* only those whose hash a third party can compute */
};
/* Newest first, those behind (`before_since`, `before_hash`) (absent: all). */
DSND_MUST_CHECK
enum dsnd_err store_suppression_list(struct store_conn *conn,
                                     const struct store_suppression_filter *filter,
                                     struct dsnd_str before_since, struct dsnd_str before_hash,
                                     unsigned limit, struct store_rows **ret_rows);

enum store_check_column {
    STORE_CHECK_SUPPRESSED,
    STORE_CHECK_CLASS,
    STORE_CHECK_SINCE,
    STORE_CHECK_EXPIRES_AT,
};
/* One row an address, in their order, by store_rows_text. */
DSND_MUST_CHECK
enum dsnd_err store_suppression_check(struct store_conn *conn, const struct dsnd_str *addresses,
                                      size_t count, struct store_rows **ret_rows);

/* An entry set by hand or by an import. */
struct store_suppression {
    struct dsnd_str address;
    const struct store_hash *hash; /* store_address_hash of an address that is absent; else NULL */
    int klass;                     /* enum report_class; 0: by hand */
    struct dsnd_str expires_at;    /* time text; absent: never */
    struct dsnd_str note;
};
/*
 * Add or replace, all or nothing; an address given twice counts once. `source` is an enum
 * store_suppression_source. `*ret_changed` counts those that were not so already.
 */
DSND_MUST_CHECK
enum dsnd_err store_suppression_put(struct store_conn *conn,
                                    const struct store_suppression *entries, size_t count,
                                    int source, int64_t *ret_changed);
/* One of them, and the row as store_suppression_get has it, whatever others do to it meanwhile. */
DSND_MUST_CHECK
enum dsnd_err store_suppression_set(struct store_conn *conn, const struct store_suppression *entry,
                                    int source, struct store_rows **ret_rows);
/* DSND_ERR_NOT_FOUND: it was not on the list. */
DSND_MUST_CHECK
enum dsnd_err store_suppression_lift(struct store_conn *conn, struct dsnd_str address, int source,
                                     struct dsnd_str note);

/* Entries that the policy made, by cause; absent members, and a class below 0, do not filter. */
struct store_undo_filter {
    int klass;                /* enum report_class */
    struct dsnd_str from;     /* since at or after; time text */
    struct dsnd_str to;       /* since before */
    struct dsnd_str campaign; /* whose report made the entry */
    struct dsnd_str rule;     /* that decided a record behind it */
    struct dsnd_str provider; /* of a record behind it */
    int64_t incident;         /* whose provider and time a record behind it has; 0: any */
};
/* How many there are, and lift them all in one transaction; each is a change with the note. */
DSND_MUST_CHECK
enum dsnd_err store_suppression_undo_count(struct store_conn *conn,
                                           const struct store_undo_filter *filter,
                                           int64_t *ret_count);
DSND_MUST_CHECK
enum dsnd_err store_suppression_undo(struct store_conn *conn,
                                     const struct store_undo_filter *filter, struct dsnd_str note,
                                     int64_t *ret_count);

enum store_change_column {
    STORE_CHANGE_SEQ,
    STORE_CHANGE_OP, /* enum store_suppression_op */
    STORE_CHANGE_ADDRESS,
    STORE_CHANGE_CAMPAIGN,
    STORE_CHANGE_REF,
    STORE_CHANGE_CLASS,
    STORE_CHANGE_AT,
    STORE_CHANGE_EXPIRES_AT,
    STORE_CHANGE_SOURCE,
    STORE_CHANGE_HASH, /* hexadecimal */
    STORE_CHANGE_NOTE,
    STORE_CHANGE_COLUMNS,
};
/* In order, those behind `after`. */
DSND_MUST_CHECK
enum dsnd_err store_suppression_changes(struct store_conn *conn, int64_t after, unsigned limit,
                                        struct store_rows **ret_rows);
/* The number of the newest change; 0 when there was none. */
DSND_MUST_CHECK
enum dsnd_err store_suppression_clock(struct store_conn *conn, int64_t *ret_seq);

/*
 * Erase an address everywhere: records keep class and time, counts stay, raw and quarantined
 * messages that name it go, and a suppression holds on under a keyed hash (its row then has no
 * address). `*ret_erased` counts the rows that named it. Texts of reports that name it beside those
 * it is filed under are searched at once where they are few, else by store_erasure_step. Journals
 * keep what they received for `journal.keep`.
 */
DSND_MUST_CHECK
enum dsnd_err store_recipient_erase(struct store_conn *conn, struct dsnd_str address,
                                    int64_t *ret_erased);

/* Search some more texts for the address whose erasure was asked for first; false: none waits. */
DSND_MUST_CHECK
enum dsnd_err store_erasure_step(struct store_conn *conn, bool *ret_more);

#endif
