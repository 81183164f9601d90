#include "parse/arf.h"

#include "base/clock.h"
#include "parse/address.h"
#include "parse/date.h"
#include "parse/xtext.h"

static const struct {
    struct dsnd_str name;
    enum report_feedback feedback;
} types[] = {
    {DSND_STR_INIT("abuse"), REPORT_FEEDBACK_ABUSE},
    {DSND_STR_INIT("fraud"), REPORT_FEEDBACK_FRAUD},
    {DSND_STR_INIT("virus"), REPORT_FEEDBACK_VIRUS},
    {DSND_STR_INIT("not-spam"), REPORT_FEEDBACK_NOT_SPAM},
    {DSND_STR_INIT("auth-failure"), REPORT_FEEDBACK_AUTH_FAILURE},
    {DSND_STR_INIT("dmarc"), REPORT_FEEDBACK_AUTH_FAILURE},
    {DSND_STR_INIT("opt-out"), REPORT_FEEDBACK_OPT_OUT},
    {DSND_STR_INIT("opt-out-list"), REPORT_FEEDBACK_OPT_OUT},
};

/* Fields that name a recipient, and headers of the returned message that do. */
static const struct dsnd_str recipient_fields[] = {
    DSND_STR_INIT("Original-Rcpt-To"),
    DSND_STR_INIT("Removal-Recipient"),
};
static const struct dsnd_str complaint_headers[] = {
    DSND_STR_INIT("X-HmXmrOriginalRecipient"),
};

static enum report_feedback feedback_of(struct dsnd_str value)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (dsnd_str_ieq(value, types[i].name))
            return types[i].feedback;
    return REPORT_FEEDBACK_OTHER; /* RFC 5965 section 3.1: unknown types count as other */
}

static bool is_known(const struct report *report, struct dsnd_str address)
{
    for (size_t i = 0; i < report->recipient_count; i++)
        if (dsnd_str_ieq(report->recipients[i].recipient, address))
            return true;
    return false;
}

static void add_recipient(struct draft *draft, struct dsnd_str value)
{
    struct dsnd_str address;
    struct report_recipient *recipient;

    address = draft_text(draft, address_bare(value), draft->limits->address_octets);
    if (!address_is_mail(address)) {
        draft_warn(draft, REPORT_WARNING_BAD_ADDRESS);
        return;
    }
    if (is_known(draft->report, address))
        return;
    recipient = draft_add(draft);
    if (!recipient)
        return;
    recipient->recipient = address;
    recipient->original_recipient = address;
    draft_note(draft, "recipient %.*s: named by the feedback report", DSND_STR_ARG(address));
}

static void read_date(struct draft *draft, struct dsnd_str value)
{
    int64_t us = 0;
    char *text;

    if (draft->report->arrival_date.ptr || date_read(value, &us))
        return;
    text = draft_alloc(draft, DSND_RFC3339_SIZE, 1);
    if (!text)
        return;
    dsnd_clock_format(us, text);
    draft->report->arrival_date = dsnd_str_of(text);
}

static void read_name(struct draft *draft, struct dsnd_str value)
{
    size_t semicolon = dsnd_str_chr(value, ';');

    if (semicolon != SIZE_MAX)
        value = dsnd_str_trim(dsnd_str_slice(value, semicolon + 1, value.len));
    draft->report->reporting_mta = draft_text(draft, value, draft->limits->address_octets);
}

static void take_field(struct draft *draft, const struct field *field)
{
    struct report *report = draft->report;

    for (size_t i = 0; i < sizeof(recipient_fields) / sizeof(*recipient_fields); i++)
        if (dsnd_str_ieq(field->name, recipient_fields[i]))
            add_recipient(draft, field->value);
    if (dsnd_str_ieq(field->name, DSND_STR("Feedback-Type")))
        report->feedback = feedback_of(field->value);
    else if (dsnd_str_ieq(field->name, DSND_STR("Reporting-MTA")))
        read_name(draft, field->value);
    else if (dsnd_str_ieq(field->name, DSND_STR("Arrival-Date")) ||
             dsnd_str_ieq(field->name, DSND_STR("Received-Date")))
        read_date(draft, field->value);
    else if (dsnd_str_ieq(field->name, DSND_STR("Original-Envelope-Id")) && !draft->err)
        draft->err = xtext_decode(draft->arena, field->value, &report->envelope_id);
}

static void read_feedback(struct draft *draft, struct dsnd_str text)
{
    struct field field;
    enum fields_line line;

    draft->report->feedback = REPORT_FEEDBACK_OTHER;
    while ((line = fields_next(&text, &field)) != FIELDS_END && !draft->err)
        if (line == FIELDS_FIELD)
            take_field(draft, &field);
}

/* The provider's own header in the message that was complained about. */
static bool read_returned(struct draft *draft, const struct mime_part *part)
{
    bool found = false;

    for (size_t i = 0; i < sizeof(complaint_headers) / sizeof(*complaint_headers); i++) {
        struct dsnd_str value =
            mime_header(part->headers, part->header_count, complaint_headers[i]);

        if (!value.len)
            continue;
        found = true;
        add_recipient(draft, value);
    }
    return found;
}

/* The fields as a part of text, where the whole is said to be a report of this type. */
static bool is_report_as_text(const struct mime_message *mime, const struct mime_part *part)
{
    return part->role == MIME_ROLE_TEXT &&
           dsnd_str_ieq(mime->report_type, DSND_STR("feedback-report")) &&
           dsnd_str_istarts(dsnd_str_trim(part->text), DSND_STR("Feedback-Type:"));
}

bool arf_read(struct draft *draft, const struct mime_message *mime)
{
    bool has_report = false;
    bool has_header = false;

    for (size_t i = 0; i < mime->part_count; i++) {
        const struct mime_part *part = &mime->parts[i];

        if (part->role == MIME_ROLE_FEEDBACK || is_report_as_text(mime, part)) {
            has_report = true;
            read_feedback(draft, part->text);
        } else if (part->role == MIME_ROLE_RETURNED && read_returned(draft, part)) {
            has_header = true;
        }
    }
    if (has_report || has_header)
        draft->report->kind = REPORT_KIND_ARF;
    if (has_header && !has_report)
        draft->report->feedback = REPORT_FEEDBACK_ABUSE;
    return has_report || has_header;
}
