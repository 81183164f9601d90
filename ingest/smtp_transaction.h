/*
 * One mail transaction (RFC 5321 section 3.3): sender, recipients, content. Its memory comes out of
 * a budget shared by all sessions, and out of its client's share of it, and is given back when the
 * transaction ends. One thread at a time.
 */
#ifndef DSND_INGEST_SMTP_TRANSACTION_H
#define DSND_INGEST_SMTP_TRANSACTION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "ingest/journal.h"
#include "ingest/smtp_budget.h"
#include "ingest/smtp_param.h"

struct smtp_transaction {
    struct smtp_budget *budget;
    struct smtp_share *share; /* NULL: the client has no limit */
    size_t charged;           /* octets taken from the budget */
    size_t content_charged;   /* of these, for `content` */
    struct dsnd_arena arena;  /* texts of the envelope */
    struct dsnd_str mail_from;
    struct smtp_mail_params params;
    struct journal_recipient *recipients;
    size_t recipient_count;
    size_t recipient_room;
    bool confirms; /* delivery may be confirmed to the sender */
    struct dsnd_buf content;
    uint64_t octets;       /* of content seen, kept or not */
    enum dsnd_err failure; /* why content was dropped: DSND_ERR_LIMIT or DSND_ERR_NOMEM */
};

/* `budget` and `share` are kept, and must last. */
void smtp_transaction_init(struct smtp_transaction *self, struct smtp_budget *budget,
                           struct smtp_share *share);
/* Forget the transaction and give its memory back. */
void smtp_transaction_clear(struct smtp_transaction *self);

/*
 * Begin, with copies of sender and parameters; content of more than `max_octets` will be dropped.
 * DSND_ERR_NOMEM: budget, share or memory is used up; the transaction is empty then.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_transaction_begin(struct smtp_transaction *self, struct dsnd_str mail_from,
                                     const struct smtp_mail_params *params, uint64_t max_octets);

/* Add a copy of the recipient. DSND_ERR_NOMEM; nothing was added. */
DSND_MUST_CHECK
enum dsnd_err smtp_transaction_recipient(struct smtp_transaction *self, struct dsnd_str address,
                                         const struct smtp_rcpt_params *params);

/*
 * Append content. Where it grows too large, or memory is short, all of it is dropped, `failure`
 * says so, and octets are only counted from then on.
 */
void smtp_transaction_put(struct smtp_transaction *self, struct dsnd_str octets);

/* Make every LF alone CR LF, and every CR alone a blank. May fail as smtp_transaction_put does. */
void smtp_transaction_normalize(struct smtp_transaction *self);

/* Give the content's memory back before the transaction ends. */
void smtp_transaction_drop_content(struct smtp_transaction *self);

#endif
