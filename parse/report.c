#include "parse/report.h"

#include <stdio.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

static const char *const kind_names[] = {
    [REPORT_KIND_OTHER] = "other",
    [REPORT_KIND_DSN] = "dsn",
    [REPORT_KIND_BOUNCE_TEXT] = "bounce_text",
    [REPORT_KIND_ARF] = "arf",
    [REPORT_KIND_MDN] = "mdn",
    [REPORT_KIND_AUTO_REPLY] = "auto_reply",
    [REPORT_KIND_MTA_LOG] = "mta_log",
};

static const char *const action_names[] = {
    [REPORT_ACTION_FAILED] = "failed",       [REPORT_ACTION_DELAYED] = "delayed",
    [REPORT_ACTION_DELIVERED] = "delivered", [REPORT_ACTION_RELAYED] = "relayed",
    [REPORT_ACTION_EXPANDED] = "expanded",
};

static const char *const class_names[REPORT_CLASS_COUNT] = {
    [REPORT_CLASS_MAILBOX_UNKNOWN] = "mailbox_unknown",
    [REPORT_CLASS_MAILBOX_INACTIVE] = "mailbox_inactive",
    [REPORT_CLASS_DOMAIN_INVALID] = "domain_invalid",
    [REPORT_CLASS_MAILBOX_FULL] = "mailbox_full",
    [REPORT_CLASS_MESSAGE_TOO_LARGE] = "message_too_large",
    [REPORT_CLASS_THROTTLED] = "throttled",
    [REPORT_CLASS_NETWORK] = "network",
    [REPORT_CLASS_REMOTE_SYSTEM] = "remote_system",
    [REPORT_CLASS_EXPIRED] = "expired",
    [REPORT_CLASS_REPUTATION_BLOCK] = "reputation_block",
    [REPORT_CLASS_AUTH_FAILURE] = "auth_failure",
    [REPORT_CLASS_CONTENT_BLOCK] = "content_block",
    [REPORT_CLASS_POLICY_REFUSED] = "policy_refused",
    [REPORT_CLASS_PROTOCOL] = "protocol",
    [REPORT_CLASS_COMPLAINT] = "complaint",
    [REPORT_CLASS_AUTO_REPLY] = "auto_reply",
    [REPORT_CLASS_UNCLASSIFIED] = "unclassified",
};

static const char *const permanence_names[] = {
    [REPORT_PERMANENCE_TRANSIENT] = "transient",
    [REPORT_PERMANENCE_PERMANENT] = "permanent",
};

static const char *const fault_names[] = {
    [REPORT_FAULT_NONE] = "none",       [REPORT_FAULT_RECIPIENT] = "recipient",
    [REPORT_FAULT_MESSAGE] = "message", [REPORT_FAULT_SENDER] = "sender",
    [REPORT_FAULT_NETWORK] = "network",
};

static const char *const feedback_names[] = {
    [REPORT_FEEDBACK_ABUSE] = "abuse",       [REPORT_FEEDBACK_FRAUD] = "fraud",
    [REPORT_FEEDBACK_VIRUS] = "virus",       [REPORT_FEEDBACK_OTHER] = "other",
    [REPORT_FEEDBACK_NOT_SPAM] = "not-spam", [REPORT_FEEDBACK_AUTH_FAILURE] = "auth-failure",
    [REPORT_FEEDBACK_OPT_OUT] = "opt-out",
};

/* Bit n of enum report_warning has the name in row n. */
static const char *const warning_names[] = {
    "too_complex", "no_boundary", "status_misplaced", "no_recipient", "bad_status",
    "bad_action",  "bad_address", "truncated",        "charset",      "missing_blank",
};

#define NAME_OF(table, value) ((size_t)(value) < COUNT_OF(table) ? (table)[value] : NULL)

const char *report_kind_name(enum report_kind kind)
{
    return NAME_OF(kind_names, kind);
}

const char *report_action_name(enum report_action action)
{
    return NAME_OF(action_names, action);
}

const char *report_class_name(enum report_class klass)
{
    return NAME_OF(class_names, klass);
}

const char *report_permanence_name(enum report_permanence permanence)
{
    return NAME_OF(permanence_names, permanence);
}

const char *report_fault_name(enum report_fault fault)
{
    return NAME_OF(fault_names, fault);
}

const char *report_feedback_name(enum report_feedback feedback)
{
    return NAME_OF(feedback_names, feedback);
}

const char *report_warning_name(enum report_warning warning)
{
    for (size_t bit = 0; bit < COUNT_OF(warning_names); bit++)
        if ((uint32_t)warning == 1u << bit)
            return warning_names[bit];
    return NULL;
}

enum dsnd_err report_class_from(struct dsnd_str name, enum report_class *ret_class)
{
    for (size_t i = 1; i < COUNT_OF(class_names); i++)
        if (dsnd_str_eq(name, dsnd_str_of(class_names[i]))) {
            *ret_class = (enum report_class)i;
            return DSND_OK;
        }
    return DSND_ERR_NOT_FOUND;
}

void report_status_format(struct report_status status, char dst[REPORT_STATUS_SIZE])
{
    dst[0] = '\0';
    if (status.klass)
        (void)snprintf(dst, REPORT_STATUS_SIZE, "%u.%u.%u", status.klass % 10u,
                       status.subject % 1000u, status.detail % 1000u);
}
