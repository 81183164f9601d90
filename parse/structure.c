#include "parse/structure.h"

static const char *const roles[] = {
    [MIME_ROLE_OTHER] = "not read",
    [MIME_ROLE_TEXT] = "read as prose",
    [MIME_ROLE_HTML] = "read as prose in HTML",
    [MIME_ROLE_STATUS] = "read as delivery-status fields",
    [MIME_ROLE_FEEDBACK] = "read as feedback-report fields",
    [MIME_ROLE_DISPOSITION] = "read as disposition fields",
    [MIME_ROLE_RETURNED] = "the returned message: for attribution, never for status",
    [MIME_ROLE_MULTIPART] = "holds the parts below",
};

void structure_note(struct draft *draft, const struct mime_message *mime)
{
    if (!draft->trace)
        return;
    draft_note(draft, "message of type %.*s%s%.*s", DSND_STR_ARG(mime->type),
               mime->report_type.len ? ", report-type " : "", DSND_STR_ARG(mime->report_type));
    for (size_t i = 0; i < mime->part_count; i++) {
        const struct mime_part *part = &mime->parts[i];

        draft_note(draft, "%*spart %zu, %.*s: %s; %zu octets of text, %zu header fields",
                   (int)(2 * part->depth), "", i + 1, DSND_STR_ARG(part->type), roles[part->role],
                   part->text.len, part->header_count);
    }
}
