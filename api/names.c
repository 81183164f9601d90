#include "api/names.h"

#include <stddef.h>

#include "parse/report.h"
#include "store/codes.h"

/* In the order of enum report_class, without NONE. */
const char *const names_classes[] = {"mailbox_unknown",  "mailbox_inactive",  "domain_invalid",
                                     "mailbox_full",     "message_too_large", "throttled",
                                     "network",          "remote_system",     "expired",
                                     "reputation_block", "auth_failure",      "content_block",
                                     "policy_refused",   "protocol",          "complaint",
                                     "auto_reply",       "unclassified",      NULL};
/* In the order of enum report_action, without NONE. */
const char *const names_actions[] = {"failed", "delayed", "delivered", "relayed", "expanded", NULL};

int names_class_number(int index)
{
    return index < 0 ? -1 : index + 1;
}

int names_action_number(int index)
{
    return index < 0 ? -1 : index + 1;
}

const char *names_action(int number)
{
    return report_action_name((enum report_action)number);
}

const char *names_class(int number)
{
    return report_class_name((enum report_class)number);
}

const char *names_permanence(int number)
{
    return report_permanence_name((enum report_permanence)number);
}

const char *names_fault(int number)
{
    return report_fault_name((enum report_fault)number);
}

const char *names_kind(int number)
{
    return report_kind_name((enum report_kind)number);
}

const char *names_feedback(int number)
{
    return report_feedback_name((enum report_feedback)number);
}

const char *names_evidence(int number)
{
    return store_evidence_name((enum store_evidence)number);
}

const char *names_attribution(int number)
{
    return store_attribution_name((enum store_attribution)number);
}

const char *names_suppression_op(int number)
{
    return store_suppression_op_name((enum store_suppression_op)number);
}

const char *names_suppression_source(int number)
{
    return store_suppression_source_name((enum store_suppression_source)number);
}

const char *names_source(int number)
{
    /* Numbers of enum journal_source; ingest/ is out of sight here. */
    static const char *const names[] = {NULL, "smtp", "lmtp", "submission", "import", "log"};

    return number > 0 && (size_t)number < sizeof(names) / sizeof(*names) ? names[number] : NULL;
}

const char *names_quarantine(int number)
{
    static const char *const names[] = {NULL, "parser_died", "too_large", "row_refused", "corrupt"};

    return number > 0 && (size_t)number < sizeof(names) / sizeof(*names) ? names[number] : NULL;
}
