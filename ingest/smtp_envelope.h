/*
 * What MAIL and RCPT may say here: grammar, parameters and policy in one decision (RFC 5321
 * sections 4.1.1.2 and 4.1.1.3). Pure, any thread.
 */
#ifndef DSND_INGEST_SMTP_ENVELOPE_H
#define DSND_INGEST_SMTP_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "ingest/smtp_auth.h"
#include "ingest/smtp_budget.h"
#include "ingest/smtp_dot.h"
#include "ingest/smtp_reply.h"
#include "ingest/smtp_transaction.h"

/* What a recipient's address is as a return path. */
enum smtp_verdict {
    SMTP_VERDICT_OK,
    SMTP_VERDICT_UNSIGNED,
    SMTP_VERDICT_FORGED,
    SMTP_VERDICT_EXPIRED,
};

/* Called at RCPT where `require_signed`; any thread of the receiver; must not block. */
typedef enum smtp_verdict (*smtp_verify_fn)(void *context, struct dsnd_str address);

/* What sessions share; outlives them, unchanged. Strings and views are borrowed. */
struct smtp_session_settings {
    const char *hostname;
    const struct dsnd_str *domains; /* whose recipients are taken; compared without case */
    size_t domain_count;
    uint64_t max_size;     /* octets of one message */
    size_t max_recipients; /* of one message, 100..JOURNAL_RECIPIENTS_MAX */
    struct smtp_budget *budget;
    struct smtp_users *users; /* of the submission listener; NULL: there is none */
    bool confirms;   /* receipts go out for mail of the submission listener (NOTIFY=SUCCESS) */
    bool normalizes; /* a bare CR or LF in DATA is mended instead of refused */
    bool require_signed;
    smtp_verify_fn verify;                  /* not NULL where `require_signed` */
    bool (*has_space)(const void *context); /* the disk takes mail; NULL: it does */
    void *context;                          /* of both */
};

/*
 * Begin `transaction` by the argument of MAIL, or add a recipient by the argument of RCPT. The
 * reply says which: SMTP_REPLY_SENDER_OK, SMTP_REPLY_RECIPIENT_OK, else nothing was changed.
 */
enum smtp_reply smtp_envelope_mail(const struct smtp_session_settings *settings,
                                   struct smtp_transaction *transaction, struct dsnd_str argument);
enum smtp_reply smtp_envelope_rcpt(const struct smtp_session_settings *settings,
                                   struct smtp_transaction *transaction, struct dsnd_str argument);

/*
 * Whether the content, all of it, is taken: SMTP_REPLY_OK, else why not. What `dot` noted of bare
 * CR and LF is refused, or mended: LF alone becomes CR LF, CR alone a blank.
 */
enum smtp_reply smtp_envelope_content(const struct smtp_session_settings *settings,
                                      struct smtp_transaction *transaction,
                                      const struct smtp_dot *dot);

#endif
