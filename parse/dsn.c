#include "parse/dsn.h"

#include "base/clock.h"
#include "parse/address.h"
#include "parse/date.h"
#include "parse/fields.h"
#include "parse/status_code.h"
#include "parse/xtext.h"

/* Fields that are read; the rest is passed over. */
enum slot {
    SLOT_FINAL,
    SLOT_ORIGINAL,
    SLOT_ACTUAL,
    SLOT_ACTION,
    SLOT_STATUS,
    SLOT_REMOTE_MTA,
    SLOT_DIAGNOSTIC,
    SLOT_SUPPLEMENT,
    SLOT_RETRY,
    SLOT_RECIPIENT_COUNT, /* those above belong to one recipient, those below to the message */
    SLOT_REPORTING_MTA = SLOT_RECIPIENT_COUNT,
    SLOT_ENVELOPE_ID,
    SLOT_ARRIVAL,
    SLOT_COUNT,
};

static const struct {
    struct dsnd_str name;
    enum slot slot;
} names[] = {
    {DSND_STR_INIT("Final-Recipient"), SLOT_FINAL},
    {DSND_STR_INIT("Original-Recipient"), SLOT_ORIGINAL},
    {DSND_STR_INIT("X-Actual-Recipient"), SLOT_ACTUAL},
    {DSND_STR_INIT("Action"), SLOT_ACTION},
    {DSND_STR_INIT("Status"), SLOT_STATUS},
    {DSND_STR_INIT("Remote-MTA"), SLOT_REMOTE_MTA},
    {DSND_STR_INIT("Diagnostic-Code"), SLOT_DIAGNOSTIC},
    {DSND_STR_INIT("X-Supplementary-Info"), SLOT_SUPPLEMENT},
    {DSND_STR_INIT("Will-Retry-Until"), SLOT_RETRY},
    {DSND_STR_INIT("Reporting-MTA"), SLOT_REPORTING_MTA},
    {DSND_STR_INIT("Original-Envelope-Id"), SLOT_ENVELOPE_ID},
    {DSND_STR_INIT("Arrival-Date"), SLOT_ARRIVAL},
};

static const struct {
    struct dsnd_str name;
    enum report_action action;
} actions[] = {
    {DSND_STR_INIT("failed"), REPORT_ACTION_FAILED},
    {DSND_STR_INIT("failure"), REPORT_ACTION_FAILED},
    {DSND_STR_INIT("fail"), REPORT_ACTION_FAILED},
    {DSND_STR_INIT("expired"), REPORT_ACTION_FAILED},
    {DSND_STR_INIT("delayed"), REPORT_ACTION_DELAYED},
    {DSND_STR_INIT("deferred"), REPORT_ACTION_DELAYED},
    {DSND_STR_INIT("delivered"), REPORT_ACTION_DELIVERED},
    {DSND_STR_INIT("deliverable"), REPORT_ACTION_DELIVERED},
    {DSND_STR_INIT("relayed"), REPORT_ACTION_RELAYED},
    {DSND_STR_INIT("expanded"), REPORT_ACTION_EXPANDED},
};

struct reader {
    struct draft *draft;
    struct dsnd_str value[SLOT_COUNT];
    bool blank; /* a blank line since the last field */
    size_t added;
};

static enum slot slot_of(struct dsnd_str name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (dsnd_str_ieq(name, names[i].name))
            return names[i].slot;
    return SLOT_COUNT;
}

/* "failed (expired)" and "failed; text" are failed. */
static enum report_action action_of(struct dsnd_str value)
{
    size_t len = 0;

    value = fields_skip_comment(value);
    while (len < value.len && dsnd_is_alpha(value.ptr[len]))
        len++;
    value.len = len;
    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
        if (dsnd_str_ieq(value, actions[i].name))
            return actions[i].action;
    return REPORT_ACTION_NONE;
}

/* The text behind a type such as "dns;" or "smtp;": a short atom; else all of it. */
static struct dsnd_str without_type(struct dsnd_str value)
{
    size_t semicolon = dsnd_str_chr(dsnd_str_slice(value, 0, 32), ';');

    value = dsnd_str_trim(value);
    if (semicolon == SIZE_MAX)
        return value;
    for (size_t i = 0; i < semicolon; i++)
        if (!dsnd_is_alpha(value.ptr[i]) && !dsnd_is_digit(value.ptr[i]) && value.ptr[i] != '-' &&
            value.ptr[i] != ' ')
            return value;
    return dsnd_str_trim(dsnd_str_slice(value, semicolon + 1, value.len));
}

static struct dsnd_str text_of(struct reader *self, enum slot slot, size_t max)
{
    struct dsnd_str text = draft_text(self->draft, without_type(self->value[slot]), max);

    return text.len ? text : DSND_STR_ABSENT;
}

static struct dsnd_str address_of(struct reader *self, enum slot slot)
{
    struct draft *draft = self->draft;
    struct dsnd_str value = draft_text(draft, self->value[slot], draft->limits->address_octets);
    struct dsnd_str address = DSND_STR_ABSENT;

    if (!value.len || draft->err)
        return DSND_STR_ABSENT;
    draft->err = address_from_field(draft->arena, value, slot == SLOT_ORIGINAL, &address);
    if (draft->err || address.len == 0)
        return DSND_STR_ABSENT;
    if (!address_is_mail(address))
        draft_warn(draft, REPORT_WARNING_BAD_ADDRESS);
    return address;
}

/* The address the sender used: the original one where it is an address. */
static struct dsnd_str key_address(struct reader *self, const struct report_recipient *recipient)
{
    struct dsnd_str actual;

    if (address_is_mail(recipient->original_recipient))
        return recipient->original_recipient;
    if (address_is_mail(recipient->final_recipient))
        return recipient->final_recipient;
    actual = address_of(self, SLOT_ACTUAL);
    return address_is_mail(actual) ? actual : recipient->final_recipient;
}

/* The remote's codes: from the diagnostic, else from the supplement some servers add. */
static void read_codes(struct reader *self, struct report_recipient *recipient)
{
    struct status_reply reply = status_reply_find(recipient->diagnostic);
    struct status_reply more;

    if (!reply.status.klass && self->value[SLOT_SUPPLEMENT].len) {
        more = status_reply_find(self->value[SLOT_SUPPLEMENT]);
        reply.status = more.status;
        if (!reply.code)
            reply.code = more.code;
    }
    recipient->smtp_code = reply.code;
    recipient->smtp_status = reply.status;
}

/* "4.0.0 (there.example: host name lookup failure)": what some say in place of a diagnostic. */
static struct dsnd_str status_comment(struct reader *self)
{
    struct dsnd_str value = self->value[SLOT_STATUS];
    size_t open = dsnd_str_chr(value, '(');
    size_t close = dsnd_str_rchr(value, ')');

    if (open == SIZE_MAX || close == SIZE_MAX || close < open)
        return DSND_STR_ABSENT;
    return draft_text(self->draft, dsnd_str_slice(value, open + 1, close),
                      self->draft->limits->diagnostic_octets);
}

static void read_outcome(struct reader *self, struct report_recipient *recipient)
{
    struct dsnd_str status = self->value[SLOT_STATUS];

    recipient->action = action_of(self->value[SLOT_ACTION]);
    if (recipient->action == REPORT_ACTION_NONE)
        draft_warn(self->draft, REPORT_WARNING_BAD_ACTION);
    if (!status_code_read(status, &recipient->status))
        draft_warn(self->draft, REPORT_WARNING_BAD_STATUS);
    /* RFC 3464 section 2.3.3 requires Action; without it the status class says as much. */
    if (recipient->action == REPORT_ACTION_NONE && recipient->status.klass == 2)
        recipient->action = REPORT_ACTION_DELIVERED;
    else if (recipient->action == REPORT_ACTION_NONE)
        recipient->action = REPORT_ACTION_FAILED;
}

static void forget_recipient(struct reader *self)
{
    for (size_t i = 0; i < SLOT_RECIPIENT_COUNT; i++)
        self->value[i] = DSND_STR_ABSENT;
}

/* The fields gathered so far are one recipient's. */
static void end_group(struct reader *self)
{
    struct draft *draft = self->draft;
    struct dsnd_str *value = self->value;
    struct report_recipient *recipient;
    bool is_named = value[SLOT_FINAL].len || value[SLOT_ORIGINAL].len || value[SLOT_ACTUAL].len;

    if (!is_named && !value[SLOT_ACTION].len && !value[SLOT_DIAGNOSTIC].len)
        return;
    recipient = draft_add(draft);
    if (!recipient) {
        forget_recipient(self);
        return;
    }
    recipient->final_recipient = address_of(self, SLOT_FINAL);
    recipient->original_recipient = address_of(self, SLOT_ORIGINAL);
    recipient->recipient = key_address(self, recipient);
    recipient->remote_mta = text_of(self, SLOT_REMOTE_MTA, draft->limits->address_octets);
    recipient->diagnostic = text_of(self, SLOT_DIAGNOSTIC, draft->limits->diagnostic_octets);
    if (!recipient->diagnostic.len)
        recipient->diagnostic = status_comment(self);
    recipient->will_retry_until = text_of(self, SLOT_RETRY, draft->limits->address_octets);
    read_outcome(self, recipient);
    read_codes(self, recipient);
    draft_note(draft, "recipient %.*s: from the delivery-status fields%s%s",
               DSND_STR_ARG(recipient->recipient),
               address_is_mail(recipient->original_recipient) ? ", Original-Recipient"
                                                              : ", Final-Recipient",
               value[SLOT_ACTION].len ? ", Action" : "");
    self->added++;
    forget_recipient(self);
}

static bool is_recipient_slot(enum slot slot)
{
    return slot == SLOT_FINAL || slot == SLOT_ORIGINAL || slot == SLOT_ACTUAL;
}

/*
 * Does `slot` begin another group? A field that is there already does. A blank line alone does not:
 * some senders double all line ends. After one, a recipient behind an outcome does.
 */
static bool begins_group(const struct reader *self, enum slot slot)
{
    const struct dsnd_str *value = self->value;
    bool has_recipient = value[SLOT_FINAL].ptr || value[SLOT_ORIGINAL].ptr;
    bool has_outcome = value[SLOT_ACTION].ptr || value[SLOT_STATUS].ptr;

    if (slot == SLOT_FINAL || slot == SLOT_ORIGINAL || slot == SLOT_ACTION)
        if (value[slot].ptr)
            return true;
    return self->blank && is_recipient_slot(slot) && has_recipient && has_outcome;
}

static void take_message_field(struct reader *self, enum slot slot, struct dsnd_str value)
{
    struct draft *draft = self->draft;
    struct report *report = draft->report;
    size_t max = draft->limits->address_octets;
    int64_t us = 0;
    char *date;

    self->value[slot] = value;
    if (slot == SLOT_REPORTING_MTA && !report->reporting_mta.ptr) {
        report->reporting_mta = text_of(self, slot, max);
    } else if (slot == SLOT_ENVELOPE_ID && !report->envelope_id.ptr) {
        struct dsnd_str id = draft_text(draft, value, max);

        if (id.len && !draft->err)
            draft->err = xtext_decode(draft->arena, id, &report->envelope_id);
    } else if (slot == SLOT_ARRIVAL && !report->arrival_date.ptr && !date_read(value, &us)) {
        date = draft_alloc(draft, DSND_RFC3339_SIZE, 1);
        if (!date)
            return;
        dsnd_clock_format(us, date);
        report->arrival_date = dsnd_str_of(date);
    }
}

static void take_field(struct reader *self, const struct field *field)
{
    enum slot slot = slot_of(field->name);

    if (slot == SLOT_COUNT)
        return;
    if (slot >= SLOT_RECIPIENT_COUNT) {
        take_message_field(self, slot, field->value);
        return;
    }
    if (begins_group(self, slot)) {
        if (!self->blank)
            draft_warn(self->draft, REPORT_WARNING_MISSING_BLANK);
        end_group(self);
    }
    /* The first of several equal fields counts, but an empty one says nothing. */
    if (!self->value[slot].len)
        self->value[slot] = field->value;
    self->blank = false;
}

size_t dsn_read(struct draft *draft, struct dsnd_str text)
{
    struct reader reader = {.draft = draft};
    struct field field;
    enum fields_line line;

    while ((line = fields_next(&text, &field)) != FIELDS_END && !draft->err) {
        if (line == FIELDS_FIELD)
            take_field(&reader, &field);
        else if (line == FIELDS_BLANK)
            reader.blank = true;
    }
    end_group(&reader);
    return reader.added;
}
