/*
 * Status records and the reports they came in. Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_STATUS_H
#define DSND_STORE_QUERY_STATUS_H

#include "base/buf.h"
#include "store/query.h"

enum store_status_column {
    STORE_STATUS_ID,
    STORE_STATUS_REPORT_ID,
    STORE_STATUS_CAMPAIGN, /* NULL: none */
    STORE_STATUS_REF,
    STORE_STATUS_RECEIVED_AT,
    STORE_STATUS_RECIPIENT,
    STORE_STATUS_FINAL_RECIPIENT,
    STORE_STATUS_ORIGINAL_RECIPIENT,
    STORE_STATUS_PROVEN_RECIPIENT,
    STORE_STATUS_ACTION, /* enum report_action */
    STORE_STATUS_STATUS,
    STORE_STATUS_SMTP_CODE,
    STORE_STATUS_SMTP_STATUS,
    STORE_STATUS_CLASS, /* enum report_class */
    STORE_STATUS_CAUSE,
    STORE_STATUS_PERMANENCE, /* enum report_permanence */
    STORE_STATUS_FAULT,      /* enum report_fault */
    STORE_STATUS_PROVIDER,
    STORE_STATUS_REMOTE_MTA,
    STORE_STATUS_DIAGNOSTIC,
    STORE_STATUS_WILL_RETRY_UNTIL,
    STORE_STATUS_RETRY_AFTER_S,
    STORE_STATUS_RULE,
    STORE_STATUS_MATCHED,
    STORE_STATUS_RULES_VERSION,
    STORE_STATUS_BLOCKLIST,
    STORE_STATUS_EVIDENCE, /* enum store_evidence */
    STORE_STATUS_COLUMNS,
};

/* Absent members, and numbers below 0, do not filter. */
struct store_status_filter {
    struct dsnd_str campaign;
    struct dsnd_str recipient;
    int64_t incident; /* number of it, only without `recipient`; 0: any */
    struct dsnd_str provider;
    struct dsnd_str from; /* received at or after; time text */
    struct dsnd_str to;   /* received before */
    int klass;            /* enum report_class */
    int action;           /* enum report_action */
};
/* Newest first, those behind the id `before` (absent: all), at most `limit`. */
DSND_MUST_CHECK
enum dsnd_err store_status_list(struct store_conn *conn, const struct store_status_filter *filter,
                                struct dsnd_str before, unsigned limit,
                                struct store_rows **ret_rows);
/* DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err store_status_get(struct store_conn *conn, struct dsnd_str id,
                               struct store_rows **ret_rows);
/* Those of one report, in its order. */
DSND_MUST_CHECK
enum dsnd_err store_status_of_report(struct store_conn *conn, struct dsnd_str report_id,
                                     struct store_rows **ret_rows);

enum store_report_column {
    STORE_REPORT_ID,
    STORE_REPORT_CAMPAIGN,
    STORE_REPORT_RECEIVED_AT,
    STORE_REPORT_STORED_AT,
    STORE_REPORT_KIND,        /* enum report_kind */
    STORE_REPORT_FEEDBACK,    /* enum report_feedback */
    STORE_REPORT_ATTRIBUTION, /* enum store_attribution */
    STORE_REPORT_EVIDENCE,    /* enum store_evidence */
    STORE_REPORT_SOURCE,
    STORE_REPORT_TLS,
    STORE_REPORT_PEER,
    STORE_REPORT_HELO,
    STORE_REPORT_MAIL_FROM,
    STORE_REPORT_ENVELOPE_TO,         /* a JSON array */
    STORE_REPORT_ENVELOPE_PARAMETERS, /* a JSON array or NULL */
    STORE_REPORT_SMTP_ENVELOPE_ID,
    STORE_REPORT_ENVELOPE_ID,
    STORE_REPORT_REPORTING_MTA,
    STORE_REPORT_ARRIVAL_DATE,
    STORE_REPORT_MESSAGE_ID,
    STORE_REPORT_SUBJECT,
    STORE_REPORT_FROM_ADDRESS,
    STORE_REPORT_RETURNED_MESSAGE_ID,
    STORE_REPORT_RETURNED_TO,
    STORE_REPORT_OCTETS,
    STORE_REPORT_RECIPIENTS,
    STORE_REPORT_RECIPIENTS_DROPPED,
    STORE_REPORT_RULES_VERSION,
    STORE_REPORT_WARNINGS, /* OR of enum report_warning */
    STORE_REPORT_HAS_RAW,
    STORE_REPORT_COLUMNS,
};
/* DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err store_report_get(struct store_conn *conn, struct dsnd_str id,
                               struct store_rows **ret_rows);
/* The octets as received, appended. DSND_ERR_NOT_FOUND: unknown, or no longer kept. */
DSND_MUST_CHECK
enum dsnd_err store_report_raw(struct store_conn *conn, struct dsnd_str id, struct dsnd_buf *out);

enum store_quarantine_column {
    STORE_QUARANTINE_ID,
    STORE_QUARANTINE_RECEIVED_AT,
    STORE_QUARANTINE_STORED_AT,
    STORE_QUARANTINE_REASON, /* enum store_quarantine */
    STORE_QUARANTINE_ERROR,
    STORE_QUARANTINE_PEER,
    STORE_QUARANTINE_HELO,
    STORE_QUARANTINE_MAIL_FROM,
    STORE_QUARANTINE_ENVELOPE_TO, /* a JSON array */
    STORE_QUARANTINE_OCTETS,
    STORE_QUARANTINE_REPLAYED_AT,
    STORE_QUARANTINE_COLUMNS,
};
/* Newest first, those behind the id `before` (absent: all). */
DSND_MUST_CHECK
enum dsnd_err store_quarantine_list(struct store_conn *conn, struct dsnd_str before, unsigned limit,
                                    struct store_rows **ret_rows);
/* DSND_ERR_NOT_FOUND, both. */
DSND_MUST_CHECK
enum dsnd_err store_quarantine_get(struct store_conn *conn, struct dsnd_str id,
                                   struct store_rows **ret_rows);
DSND_MUST_CHECK
enum dsnd_err store_quarantine_raw(struct store_conn *conn, struct dsnd_str id,
                                   struct dsnd_buf *out);

#endif
