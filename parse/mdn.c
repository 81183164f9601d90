#include "parse/mdn.h"

#include <stdint.h>

#include "parse/address.h"
#include "parse/status_code.h"

/* Dispositions that are refusals; "denied" and "failed" are of RFC 2298. */
static const struct dsnd_str refusals[] = {
    DSND_STR_INIT("rejected"),
    DSND_STR_INIT("denied"),
    DSND_STR_INIT("failed"),
};

/* What Sieve's reject (RFC 5429 section 2.2) says beside "deleted". */
static const struct dsnd_str refusal_texts[] = {
    DSND_STR_INIT("automatically rejected"),
    DSND_STR_INIT("refused to accept"),
    DSND_STR_INIT("message was rejected"),
};

struct mdn {
    struct dsnd_str final;
    struct dsnd_str original;
    struct dsnd_str disposition;
    struct dsnd_str failure;
};

static struct mdn read_fields(struct dsnd_str text)
{
    struct mdn mdn = {DSND_STR_ABSENT, DSND_STR_ABSENT, DSND_STR_ABSENT, DSND_STR_ABSENT};
    const struct {
        struct dsnd_str name;
        struct dsnd_str *value;
    } slots[] = {
        {DSND_STR("Final-Recipient"), &mdn.final},
        {DSND_STR("Original-Recipient"), &mdn.original},
        {DSND_STR("Disposition"), &mdn.disposition},
        {DSND_STR("Failure"), &mdn.failure},
    };
    struct field field;
    enum fields_line line;

    while ((line = fields_next(&text, &field)) != FIELDS_END)
        for (size_t i = 0; line == FIELDS_FIELD && i < sizeof(slots) / sizeof(*slots); i++)
            if (dsnd_str_ieq(field.name, slots[i].name) && !slots[i].value->ptr)
                *slots[i].value = field.value;
    return mdn;
}

/* The paragraph that says why, in the part for people; absent where none does. */
static struct dsnd_str refusal_text(const struct mime_message *mime)
{
    for (size_t i = 0; i < mime->part_count; i++) {
        const struct mime_part *part = &mime->parts[i];

        for (size_t j = 0; j < sizeof(refusal_texts) / sizeof(*refusal_texts); j++) {
            size_t at = part->role == MIME_ROLE_TEXT ? dsnd_str_ifind(part->text, refusal_texts[j])
                                                     : SIZE_MAX;

            if (at != SIZE_MAX)
                return dsnd_str_slice(part->text, at, part->text.len);
        }
    }
    return DSND_STR_ABSENT;
}

/* "automatic-action/MDN-sent-automatically; deleted/error": what stands behind the semicolon. */
static bool is_refusal(struct dsnd_str disposition)
{
    size_t semicolon = dsnd_str_chr(disposition, ';');
    struct dsnd_str type = dsnd_str_slice(disposition, semicolon, disposition.len);

    for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
        if (dsnd_str_ifind(type, refusals[i]) != SIZE_MAX)
            return true;
    return false;
}

/* Dovecot's "Auto-Submitted: auto-replied (rejected)" stays where a gateway emptied the parts. */
static bool is_marked_refusal(const struct mime_message *mime)
{
    struct dsnd_str value =
        mime_header(mime->headers, mime->header_count, DSND_STR("Auto-Submitted"));

    return dsnd_str_ifind(value, DSND_STR("rejected")) != SIZE_MAX;
}

static struct dsnd_str read_address(struct draft *draft, struct dsnd_str value)
{
    struct dsnd_str address = DSND_STR_ABSENT;

    value = draft_text(draft, value, draft->limits->address_octets);
    if (value.len && !draft->err)
        draft->err = address_from_field(draft->arena, value, false, &address);
    return address.len ? address : DSND_STR_ABSENT;
}

static void fail(struct draft *draft, struct report_recipient *recipient, struct dsnd_str reason)
{
    struct status_reply reply;

    recipient->action = REPORT_ACTION_FAILED;
    recipient->diagnostic = draft_text(draft, reason, draft->limits->diagnostic_octets);
    reply = status_reply_find(recipient->diagnostic);
    recipient->smtp_code = reply.code;
    recipient->smtp_status = reply.status;
}

static void read_notification(struct draft *draft, const struct mime_message *mime,
                              struct dsnd_str text)
{
    struct mdn mdn = read_fields(text);
    struct dsnd_str reason = refusal_text(mime);
    struct report_recipient *recipient;

    draft_note(draft, "disposition %.*s of %.*s", DSND_STR_ARG(mdn.disposition),
               DSND_STR_ARG(mdn.final));
    if (!is_refusal(mdn.disposition) && !reason.len && !is_marked_refusal(mime))
        return;
    recipient = draft_add(draft);
    if (!recipient)
        return;
    recipient->final_recipient = read_address(draft, mdn.final);
    recipient->original_recipient = read_address(draft, mdn.original);
    recipient->recipient = address_is_mail(recipient->original_recipient)
                               ? recipient->original_recipient
                               : recipient->final_recipient;
    fail(draft, recipient, mdn.failure.len ? mdn.failure : reason);
}

bool mdn_read(struct draft *draft, const struct mime_message *mime)
{
    for (size_t i = 0; i < mime->part_count; i++) {
        if (mime->parts[i].role != MIME_ROLE_DISPOSITION)
            continue;
        draft->report->kind = REPORT_KIND_MDN;
        read_notification(draft, mime, mime->parts[i].text);
        return true;
    }
    if (!dsnd_str_ieq(mime->report_type, DSND_STR("disposition-notification")) ||
        !is_marked_refusal(mime))
        return false;
    draft->report->kind = REPORT_KIND_MDN;
    read_notification(draft, mime, DSND_STR(""));
    return true;
}
