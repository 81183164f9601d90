/*
 * One transaction of the batch writer, in three exchanges with the server: look up what attribution
 * needs, lock the deliveries concerned, write everything and commit. Private to store/.
 *
 * Locks are taken in one order everywhere, each kind in key order, so that writers never deadlock:
 * journal position, report_seen, campaign, delivery, the totals (all under total_lock()), rule_hit,
 * incident (with what hangs on it), suppression_guard, suppression_strike, suppression,
 * suppression_again, suppression_clock.
 * (A batch that both adds and lifts goes twice over the last three; where two such meet, PostgreSQL
 * ends one and it is written again.)
 */
#ifndef DSND_STORE_WRITE_SPAN_H
#define DSND_STORE_WRITE_SPAN_H

#include "store/delivery.h"
#include "store/digest.h"
#include "store/pg.h"
#include "store/totals.h"
#include "store/write.h"

/* Days of ids count from 2020-01-01, this many days after 1970-01-01; 15 bits hold them. */
enum { WRITE_DAY_ZERO = 18262, WRITE_DAY_MAX = 32767 };

/* The day (since 1970) under which a record of this time is filed. */
int32_t write_day(int64_t received_us);

/* What becomes of an item. */
enum write_fate {
    WRITE_FATE_SKIPPED, /* stored by an earlier transaction */
    WRITE_FATE_DUPLICATE,
    WRITE_FATE_QUARANTINED,
    WRITE_FATE_STORED,
};

/* One recipient of a report on its way to a row of status. */
struct write_status {
    const struct report_recipient *recipient; /* cleaned */
    int64_t key; /* store_hash_key of its address; 0 where it has none */
    int64_t id;
    enum store_evidence evidence;
    struct dsnd_str proven; /* the address the evidence proves; absent if none */
    struct dsnd_str ref;    /* of the delivery; absent if none can be named */
    int64_t incident_key;   /* 0: its class makes no incidents */
    bool moves;             /* `event` is set */
    bool counts;            /* so it is, and the evidence suffices for it to be counted */
    bool is_written;        /* its row is there already, as it should be */
    struct delivery_event event;
};

/* One item on its way to rows. */
struct write_item {
    struct store_item item; /* texts cleaned, octets and views of views as given */
    struct report report;   /* cleaned */
    struct store_hash hash;
    enum write_fate fate;
    /* Found before any lookup. */
    const struct return_path *path; /* signed, from wherever; NULL if none */
    bool is_refused; /* a return path that is forged or expired: nothing attributes it */
    enum store_attribution attribution; /* what named the campaign */
    struct dsnd_str *keys;              /* possible campaign keys of unsigned reports */
    size_t key_count;
    size_t envelope_key_count; /* those in front that stood in the envelope id */
    struct dsnd_str key_ref;   /* ref beside the key in the envelope id; absent if none */
    /* Found by lookup. */
    int64_t id;
    int64_t campaign_id;
    struct dsnd_str send_ref;       /* of the one registered send it is about; absent if none */
    struct dsnd_str send_recipient; /* its address; absent if none was registered */
    struct write_status *statuses;
    size_t status_count;
};

enum write_lookup {
    WRITE_LOOKUP_LOCK,
    WRITE_LOOKUP_SEEN,
    WRITE_LOOKUP_CAMPAIGN,
    WRITE_LOOKUP_SEND_BY_REF,
    WRITE_LOOKUP_SEND_BY_MESSAGE,
    WRITE_LOOKUP_SEND_BY_ENVELOPE,
    WRITE_LOOKUP_SEND_BY_RECIPIENT,
    WRITE_LOOKUP_IDS,
    WRITE_LOOKUP_COUNT,
};

struct write_span {
    struct store_conn *conn;
    const struct store_policy *policy;
    const char *journal;
    struct dsnd_arena arena;
    struct pg_params params;
    struct write_item *items;
    size_t count;
    size_t status_count;
    PGresult *found[WRITE_LOOKUP_COUNT]; /* NULL where not asked; views borrow from them */
    int64_t journal_id;
    uint64_t stored; /* sequence up to which the journal is stored */
    struct delivery *deliveries;
    size_t delivery_count;
    PGresult *delivery_rows; /* views of deliveries borrow from it */
    struct totals totals;
    struct run *runs; /* write_incident.c: a row a record of a sender-side cause */
    size_t run_count;
    struct verdicts *verdicts;              /* write_policy.c */
    struct store_journal_position position; /* to be stored */
    bool last;           /* part of its batch: the position is the caller's own */
    const char *refusal; /* what PostgreSQL said of a refused item, or NULL */
    struct store_batch_result result;
};

/* write_prepare.c: clean and hash the items, find what has to be looked up. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err write_prepare(struct write_span *self, const struct store_item *items);

/*
 * write_lookup.c: first exchange; the transaction is open afterwards. Decides each item's fate and
 * numbers its rows. DSND_ERR_NOT_FOUND: the journal has no position row yet. DSND_ERR_CONFLICT,
 * DSND_ERR_VERSION as store_write_batch.
 */
DSND_MUST_CHECK
enum dsnd_err write_lookup(struct write_span *self);

/* The lookups of attribution alone, for what is stored already; ids for as many rows. */
DSND_MUST_CHECK
enum dsnd_err write_lookup_again(struct write_span *self, size_t id_count);

/* Day of receipt << 38 | counter: see the head of sql/0002_records.sql. */
int64_t write_record_id(int64_t received_us, int64_t counter);

/* First row of a lookup whose `column` equals `text` (rows are ordered by it), or -1. */
int write_find(const PGresult *rows, int column, struct dsnd_str text);

/* write_attribute.c: campaign, evidence, address and delivery of each status. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err write_attribute(struct write_span *self);

/* write_fold.c: one record of each delivery, action and class of a report. */
void write_fold(struct write_span *self);

/* write_incident.c: which statuses are of a sender-side cause. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err write_find_incidents(struct write_span *self);

/*
 * write_delivery.c: second exchange; register what was sent, move the deliveries and collect the
 * totals.
 */
DSND_MUST_CHECK
enum dsnd_err write_deliveries(struct write_span *self);

/* Order of deliveries. */
int write_compare_keys(int64_t campaign_a, struct dsnd_str ref_a, int64_t campaign_b,
                       struct dsnd_str ref_b);
/* Lock those of self->deliveries (in order of their keys) that exist, and read them. */
DSND_MUST_CHECK
enum dsnd_err write_lock_deliveries(struct write_span *self);

/* write_rows.c: third exchange; all rows, the journal position, and the commit. */
DSND_MUST_CHECK
enum dsnd_err write_rows(struct write_span *self);
/* Parts of it: deliveries that exist, or new ones; the totals, three statements. */
DSND_MUST_CHECK
enum dsnd_err write_send_deliveries(struct write_span *self, bool existing);
DSND_MUST_CHECK
enum dsnd_err write_send_totals(struct write_span *self);
/*
 * write_send.c: what log items tell was sent, registered and counted; self->deliveries are made,
 * and locked with the other deliveries that it concerns.
 */
DSND_MUST_CHECK
enum dsnd_err write_sends(struct write_span *self);
/* write_log.c: messages on their way in a mail server; `*ret_sent` grows by the statements sent. */
DSND_MUST_CHECK
enum dsnd_err write_send_log(struct write_span *self, size_t *ret_sent);
/* write_rows_status.c: rows of status; the best evidence that one of the item's has. */
int16_t write_best_evidence(const struct write_item *w);
DSND_MUST_CHECK
enum dsnd_err write_send_statuses(struct write_span *self);
/* write_receipt.c: receipts for delivered mail; `*ret_sent` grows by the statements sent. */
DSND_MUST_CHECK
enum dsnd_err write_send_receipts(struct write_span *self, size_t *ret_sent);
/* write_incident.c: what goes on; `*ret_sent` grows by the statements sent. */
DSND_MUST_CHECK
enum dsnd_err write_send_incidents(struct write_span *self, size_t *ret_sent);
/* A failure that may suppress, or a confirmed delivery that may lift. */
struct write_candidate {
    struct store_hash hash;
    struct dsnd_str hash_octets; /* the same */
    struct dsnd_str address;     /* absent for a ref */
    int64_t campaign_id;
    struct dsnd_str ref; /* absent for an address */
    int16_t klass;
    int16_t evidence;
    int64_t status_id;
    struct dsnd_str delivery;
    int64_t us;
    struct dsnd_str provider;
    struct dsnd_str signature; /* absent where the cause is not guarded */
    /* Of the writer alone. */
    int64_t key;    /* store_hash_key of `hash` */
    bool overruled; /* by what was stored before and is later */
};
/* write_policy.c: may it suppress, and in which class; may it lift. */
bool write_counts(const struct write_status *s, enum report_class *ret_class);
bool write_confirms(const struct write_status *s);
/* The text by which the guard counts a failure; absent where it does not. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err write_guarded_text(struct dsnd_arena *arena, enum report_class klass,
                                 struct dsnd_str diagnostic, struct dsnd_str *ret_signature);
/* The parameters of CANDIDATES. */
void write_add_candidates(struct pg_params *params, const struct write_candidate *list,
                          size_t count);
/* Behind the second exchange: what may suppress, and which of it later records overrule. */
DSND_MUST_CHECK
enum dsnd_err write_judge(struct write_span *self);
/* What follows for the suppression list. */
DSND_MUST_CHECK
enum dsnd_err write_send_suppressions(struct write_span *self, size_t *ret_sent);
/* write_raw.c: compressed octets, of reports and of what is set aside. */
DSND_MUST_CHECK
enum dsnd_err write_send_raw(struct write_span *self, size_t *ret_sent);

#endif
