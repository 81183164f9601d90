#include "store/codes.h"

#include <stddef.h>

static const char *name_of(const char *const *names, size_t count, unsigned number)
{
    return number < count ? names[number] : NULL;
}

#define NAME_OF(names, number) name_of(names, sizeof(names) / sizeof(*(names)), (unsigned)(number))

const char *store_evidence_name(enum store_evidence evidence)
{
    static const char *const names[] = {
        [STORE_EVIDENCE_NONE] = "none",
        [STORE_EVIDENCE_MATCHED] = "matched",
        [STORE_EVIDENCE_SIGNED_OTHER] = "signed_other",
        [STORE_EVIDENCE_SIGNED_REF] = "signed_ref",
        [STORE_EVIDENCE_SIGNED] = "signed",
    };

    return NAME_OF(names, evidence);
}

const char *store_attribution_name(enum store_attribution attribution)
{
    static const char *const names[] = {
        [STORE_ATTRIBUTION_NONE] = "none",
        [STORE_ATTRIBUTION_RETURN_PATH] = "return_path",
        [STORE_ATTRIBUTION_RETURNED] = "returned_return_path",
        [STORE_ATTRIBUTION_ENVELOPE_ID] = "envelope_id",
        [STORE_ATTRIBUTION_HEADER] = "header",
        [STORE_ATTRIBUTION_MESSAGE_ID] = "message_id",
    };

    return NAME_OF(names, attribution);
}

const char *store_state_name(enum store_state state)
{
    static const char *const names[] = {
        [STORE_STATE_SENT] = "sent",
        [STORE_STATE_DELAYED] = "delayed",
        [STORE_STATE_HANDED_OFF] = "handed_off",
        [STORE_STATE_DELIVERED] = "delivered",
        [STORE_STATE_FAILED] = "failed",
    };

    return NAME_OF(names, state);
}

const char *store_suppression_op_name(enum store_suppression_op op)
{
    static const char *const names[] = {
        [STORE_SUPPRESSION_ADD] = "add",       [STORE_SUPPRESSION_LIFT] = "lift",
        [STORE_SUPPRESSION_EXPIRE] = "expire", [STORE_SUPPRESSION_ERASE] = "erase",
        [STORE_SUPPRESSION_HOLD] = "hold",     [STORE_SUPPRESSION_DROP] = "drop",
    };

    return NAME_OF(names, op);
}

const char *store_suppression_source_name(enum store_suppression_source source)
{
    static const char *const names[] = {
        [STORE_SUPPRESSION_POLICY] = "policy",
        [STORE_SUPPRESSION_API] = "api",
        [STORE_SUPPRESSION_IMPORT] = "import",
    };

    return NAME_OF(names, source);
}
