/*
 * What one received message says: the plain result of parsing, as plain data. Everything in it
 * lives in the message's arena and dies with it; views may also borrow from the message octets, so
 * both must outlive the report. Absent values are absent views (`ptr == NULL`) or the enum's NONE.
 *
 * Vocabulary: RFC 3464 (delivery status notifications), RFC 3463 (enhanced status codes), RFC 5965
 * (ARF), RFC 8098 (MDN), RFC 3834 (automatic responses); classes are this project's own.
 */
#ifndef DSND_PARSE_REPORT_H
#define DSND_PARSE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum report_kind {
    REPORT_KIND_OTHER,       /* none of the following */
    REPORT_KIND_DSN,         /* a machine-readable delivery-status part was read */
    REPORT_KIND_BOUNCE_TEXT, /* a delivery report in prose only */
    REPORT_KIND_ARF,
    REPORT_KIND_MDN,
    REPORT_KIND_AUTO_REPLY,
    REPORT_KIND_MTA_LOG, /* what the log of the sending server says; no message */
};

/* RFC 3464 section 2.3.3. */
enum report_action {
    REPORT_ACTION_NONE,
    REPORT_ACTION_FAILED,
    REPORT_ACTION_DELAYED,
    REPORT_ACTION_DELIVERED,
    REPORT_ACTION_RELAYED,
    REPORT_ACTION_EXPANDED,
};

/* In the order of the published table; the numbers are stored, so they never change. */
enum report_class {
    REPORT_CLASS_NONE = 0, /* nothing to classify: delivered, relayed, expanded */
    REPORT_CLASS_MAILBOX_UNKNOWN = 1,
    REPORT_CLASS_MAILBOX_INACTIVE = 2,
    REPORT_CLASS_DOMAIN_INVALID = 3,
    REPORT_CLASS_MAILBOX_FULL = 4,
    REPORT_CLASS_MESSAGE_TOO_LARGE = 5,
    REPORT_CLASS_THROTTLED = 6,
    REPORT_CLASS_NETWORK = 7,
    REPORT_CLASS_REMOTE_SYSTEM = 8,
    REPORT_CLASS_EXPIRED = 9,
    REPORT_CLASS_REPUTATION_BLOCK = 10,
    REPORT_CLASS_AUTH_FAILURE = 11,
    REPORT_CLASS_CONTENT_BLOCK = 12,
    REPORT_CLASS_POLICY_REFUSED = 13,
    REPORT_CLASS_PROTOCOL = 14,
    REPORT_CLASS_COMPLAINT = 15,
    REPORT_CLASS_AUTO_REPLY = 16,
    REPORT_CLASS_UNCLASSIFIED = 17,
    REPORT_CLASS_COUNT,
};

enum report_permanence {
    REPORT_PERMANENCE_NONE,
    REPORT_PERMANENCE_TRANSIENT,
    REPORT_PERMANENCE_PERMANENT,
};

enum report_fault {
    REPORT_FAULT_NONE,
    REPORT_FAULT_RECIPIENT,
    REPORT_FAULT_MESSAGE,
    REPORT_FAULT_SENDER,
    REPORT_FAULT_NETWORK,
};

/* Defects that did not stop the parse; a report carries the OR of them. */
enum report_warning {
    REPORT_WARNING_TOO_COMPLEX = 1u << 0,      /* what is beyond a limit was not read */
    REPORT_WARNING_NO_BOUNDARY = 1u << 1,      /* multipart without a usable boundary */
    REPORT_WARNING_STATUS_MISPLACED = 1u << 2, /* delivery-status outside multipart/report */
    REPORT_WARNING_NO_RECIPIENT = 1u << 3,     /* a delivery report that names nobody */
    REPORT_WARNING_BAD_STATUS = 1u << 4,       /* Status is no RFC 3463 code */
    REPORT_WARNING_BAD_ACTION = 1u << 5,       /* Action missing or unknown */
    REPORT_WARNING_BAD_ADDRESS = 1u << 6,      /* an address field held no address */
    REPORT_WARNING_TRUNCATED = 1u << 7,        /* recipients or text beyond a limit were left out */
    REPORT_WARNING_CHARSET = 1u << 8,          /* octets that fit no known charset were replaced */
    REPORT_WARNING_MISSING_BLANK = 1u << 9,    /* field groups without a blank line between them */
};

/* An enhanced status code (RFC 3463): class 2, 4 or 5; `klass == 0` means absent. */
struct report_status {
    uint16_t klass;
    uint16_t subject;
    uint16_t detail;
};

/* One recipient of the report. */
struct report_recipient {
    struct dsnd_str recipient;          /* the address the sender used; absent if nobody is named */
    struct dsnd_str final_recipient;    /* address without its type */
    struct dsnd_str original_recipient; /* address without its type, xtext decoded */
    enum report_action action;
    struct report_status status;      /* as reported in Status */
    uint16_t smtp_code;               /* from the remote reply; 0 absent */
    struct report_status smtp_status; /* from the remote reply */
    struct dsnd_str remote_mta;
    struct dsnd_str diagnostic; /* unfolded text, UTF-8, without its type */
    struct dsnd_str will_retry_until;
    /* What classification decided. */
    enum report_class klass;
    enum report_class cause; /* of EXPIRED: the class of the last reply, or NONE */
    enum report_permanence permanence;
    enum report_fault fault;
    struct dsnd_str provider;  /* family name such as "google"; absent if unknown */
    struct dsnd_str rule;      /* id of the rule that decided */
    struct dsnd_str matched;   /* the text it matched */
    struct dsnd_str blocklist; /* name of a blocklist in the text */
    uint32_t retry_after_s;    /* a delay the remote asked for; 0 absent */
};

/* A campaign hint found in the returned message: header name and value. */
struct report_hint {
    struct dsnd_str name;
    struct dsnd_str value;
};

enum { REPORT_HINT_MAX = 8 };

/* What the returned message (or its headers) says of itself: for attribution, never for status. */
struct report_returned {
    bool present;
    struct dsnd_str message_id;                /* without < and > */
    struct dsnd_str to;                        /* the first address of To */
    struct dsnd_str return_path;               /* Return-Path or Errors-To, without < and > */
    struct report_hint hints[REPORT_HINT_MAX]; /* configured campaign headers, in order found */
    size_t hint_count;
};

/* RFC 5965 Feedback-Type. */
enum report_feedback {
    REPORT_FEEDBACK_NONE,
    REPORT_FEEDBACK_ABUSE,
    REPORT_FEEDBACK_FRAUD,
    REPORT_FEEDBACK_VIRUS,
    REPORT_FEEDBACK_OTHER,
    REPORT_FEEDBACK_NOT_SPAM,
    REPORT_FEEDBACK_AUTH_FAILURE,
    REPORT_FEEDBACK_OPT_OUT,
};

struct report {
    enum report_kind kind;
    enum report_feedback feedback; /* of ARF */
    struct dsnd_str reporting_mta;
    struct dsnd_str arrival_date; /* RFC 3339 UTC where the field could be read, else absent */
    struct dsnd_str envelope_id;  /* Original-Envelope-Id, xtext decoded */
    struct dsnd_str message_id;   /* of the received message itself, without < and > */
    struct dsnd_str subject;      /* of the received message, decoded, UTF-8 */
    struct dsnd_str from;         /* address of the received message */
    struct report_returned returned;
    bool is_by_anybody; /* BOUNCE_TEXT whose headers name no mailer: a person may have written it */
    uint32_t warnings;  /* OR of enum report_warning */
    struct report_recipient *recipients;
    size_t recipient_count;
    size_t recipients_dropped; /* beyond the limit: counted, not listed */
};

/* Published names, as JSON and the database use them; a NONE gives NULL. */
const char *report_kind_name(enum report_kind kind);
const char *report_action_name(enum report_action action);
const char *report_class_name(enum report_class klass);
const char *report_permanence_name(enum report_permanence permanence);
const char *report_fault_name(enum report_fault fault);
const char *report_feedback_name(enum report_feedback feedback);
/* The name of one warning bit. */
const char *report_warning_name(enum report_warning warning);

/* The class of a published name. DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err report_class_from(struct dsnd_str name, enum report_class *ret_class);

/* Octets of the longest "5.999.999" and its NUL. */
enum { REPORT_STATUS_SIZE = 12 };
/* "5.1.1" into `dst`; "" when absent. */
void report_status_format(struct report_status status, char dst[REPORT_STATUS_SIZE]);

#endif
