#include "cmd/explain_page.h"

#include <stdio.h>

#include "cmd/stored_envelope.h"
#include "store/delivery.h"

enum { LABEL_WIDTH = 22, INDENT = 2 };

/* The default policy, as the table suppression_policy begins; sure only after proof. */
static const char *const effects[REPORT_CLASS_COUNT] = {
    [REPORT_CLASS_MAILBOX_UNKNOWN] = "at once",
    [REPORT_CLASS_MAILBOX_INACTIVE] = "after 2 within 14 d",
    [REPORT_CLASS_DOMAIN_INVALID] = "after 2 on different days within 30 d",
    [REPORT_CLASS_MAILBOX_FULL] = "after 5 within 30 d, for 90 d",
    [REPORT_CLASS_POLICY_REFUSED] = "after 3 within 60 d",
    [REPORT_CLASS_COMPLAINT] = "at once",
};

static void put(struct explain_page *self, struct dsnd_str text)
{
    for (size_t i = 0; i < text.len && !self->err; i++) {
        unsigned char octet = (unsigned char)text.ptr[i];
        bool is_control = (octet < ' ' && octet != '\n') || octet == 0x7f;

        self->err = dsnd_buf_add_char(self->out, is_control ? '?' : text.ptr[i]);
    }
}

static void say(struct explain_page *self, const char *text)
{
    put(self, dsnd_str_of(text));
}

/* "  label     value"; nothing where the value is absent. */
static void line(struct explain_page *self, const char *label, struct dsnd_str value)
{
    struct dsnd_str name = dsnd_str_of(label);
    struct dsnd_str rest = value;

    if (!value.len)
        return;
    say(self, "  ");
    put(self, name);
    for (size_t i = name.len; i < LABEL_WIDTH; i++)
        say(self, " ");
    while (rest.len) {
        put(self, dsnd_str_cut(&rest, '\n'));
        if (rest.len)
            say(self, " / ");
    }
    say(self, "\n");
}

static void word(struct explain_page *self, const char *label, const char *value)
{
    line(self, label, dsnd_str_of(value));
}

static void number(struct explain_page *self, const char *label, uint32_t value, const char *unit)
{
    char text[32];

    if (value && snprintf(text, sizeof(text), "%u%s", value, unit) > 0)
        word(self, label, text);
}

static void status(struct explain_page *self, const char *label, struct report_status value)
{
    char text[REPORT_STATUS_SIZE];

    report_status_format(value, text);
    word(self, label, text);
}

static void write_message(struct explain_page *self, const struct report *report,
                          struct dsnd_str trace)
{
    say(self, "\nHow it was read\n");
    while (trace.len) {
        say(self, "  ");
        put(self, dsnd_str_cut(&trace, '\n'));
        say(self, "\n");
    }
    say(self, "\nThe report\n");
    word(self, "kind", report_kind_name(report->kind));
    word(self, "feedback", report_feedback_name(report->feedback));
    line(self, "reporting MTA", report->reporting_mta);
    line(self, "arrival date", report->arrival_date);
    line(self, "envelope id", report->envelope_id);
    line(self, "message id", report->message_id);
    line(self, "subject", report->subject);
    line(self, "from", report->from);
    for (unsigned bit = 0; bit < 32; bit++)
        if (report->warnings & UINT32_C(1) << bit)
            word(self, "warning", report_warning_name((enum report_warning)(1u << bit)));
    number(self, "left out", (uint32_t)report->recipients_dropped, " recipients beyond the limit");
}

static void write_returned(struct explain_page *self, const struct report_returned *returned)
{
    say(self, "\nThe returned message (attributes, never decides)\n");
    if (!returned->present)
        say(self, "  none\n");
    line(self, "message id", returned->message_id);
    line(self, "to", returned->to);
    line(self, "return path", returned->return_path);
    for (size_t i = 0; i < returned->hint_count; i++) {
        line(self, "campaign header", returned->hints[i].name);
        line(self, "its value", returned->hints[i].value);
    }
}

static const char *belief(const struct explain_page *self, const struct return_path *path)
{
    switch (path->verdict) {
    case RETURN_PATH_NONE:
        return "no: not of the form of a signed return path";
    case RETURN_PATH_FORGED:
        return self->keys->count ? "no: none of our keys made this signature"
                                 : "not known: there are no keys to check it (--keys)";
    case RETURN_PATH_EXPIRED:
        return "no: ours, but older than sign.max_age or from the future";
    case RETURN_PATH_SIGNED:
        return "yes: signed by a key of ours";
    }
    return "no";
}

static void write_path(struct explain_page *self, const char *source, struct dsnd_str address,
                       struct return_path *ret_path)
{
    return_path_verify(self->keys, address, self->now_us, self->max_age_us, ret_path);
    line(self, source, address);
    word(self, "  believed", belief(self, ret_path));
    if (ret_path->verdict == RETURN_PATH_NONE)
        return;
    word(self, "  campaign", ret_path->campaign);
    word(self, "  ref", ret_path->ref);
    word(self, "  the ref is",
         ret_path->ref_is_hash ? "the hash of an address" : "the sender's own id");
}

/* The one that counts: of the envelope, else of the returned message. */
static void write_paths(struct explain_page *self, struct dsnd_str message,
                        const struct report *report, struct return_path *ret_path)
{
    const char *header = "";
    struct dsnd_str to = stored_envelope_to(message, &header);
    struct return_path returned = {.verdict = RETURN_PATH_NONE};

    *ret_path = returned;
    say(self, "\nReturn paths\n");
    if (to.len)
        write_path(self, header, to, ret_path);
    if (report->returned.return_path.len)
        write_path(self, "returned message", report->returned.return_path, &returned);
    if (!to.len && !report->returned.return_path.len)
        say(self, "  none\n");
    if (ret_path->verdict != RETURN_PATH_SIGNED && returned.verdict == RETURN_PATH_SIGNED)
        *ret_path = returned;
}

/* The rule's place in its file and how many patterns it has. */
static void write_rule(struct explain_page *self, const struct report_recipient *recipient)
{
    line(self, "rule", recipient->rule);
    for (size_t i = 0; i < rule_set_count(self->rules); i++) {
        struct rule_info info = rule_set_info(self->rules, i);

        if (!dsnd_str_eq(info.id, recipient->rule))
            continue;
        number(self, "  its number", (uint32_t)i + 1, "");
        number(self, "  line of the rules", info.line, "");
        word(self, "  it gives", report_class_name(info.klass));
        line(self, "  only for", info.provider);
    }
    line(self, "  matched", recipient->matched);
    line(self, "  rule set", rule_set_version(self->rules));
}

/* By whose policy it may suppress; NONE: it cannot. */
static enum report_class suppressing_class(const struct report_recipient *recipient)
{
    if (recipient->klass == REPORT_CLASS_COMPLAINT)
        return REPORT_CLASS_COMPLAINT;
    return recipient->action == REPORT_ACTION_FAILED ? delivery_suppressing_class(recipient)
                                                     : REPORT_CLASS_NONE;
}

static const char *suppression(const struct report_recipient *recipient,
                               const struct return_path *path)
{
    enum report_class klass = suppressing_class(recipient);

    if (!effects[recipient->klass] && !effects[recipient->cause])
        return "never for this class";
    if (klass == REPORT_CLASS_NONE)
        return recipient->fault == REPORT_FAULT_RECIPIENT
                   ? "never for what may pass"
                   : "never for what is not the recipient's fault";
    if (path->verdict != RETURN_PATH_SIGNED)
        return "no: nothing in the message proves the address";
    if (!path->ref_is_hash)
        return "where a registered send says that the ref is this address";
    return return_path_proves(path, recipient->recipient)
               ? effects[klass]
               : "no: the return path is that of another address";
}

static void write_recipient(struct explain_page *self, const struct report_recipient *recipient,
                            const struct return_path *path)
{
    say(self, "\nRecipient ");
    put(self, recipient->recipient.len ? recipient->recipient : DSND_STR("nobody is named"));
    say(self, "\n");
    line(self, "original recipient", recipient->original_recipient);
    line(self, "final recipient", recipient->final_recipient);
    word(self, "action", report_action_name(recipient->action));
    status(self, "status", recipient->status);
    number(self, "reply code", recipient->smtp_code, "");
    status(self, "status in the reply", recipient->smtp_status);
    line(self, "remote MTA", recipient->remote_mta);
    line(self, "diagnostic", recipient->diagnostic);
    line(self, "will retry until", recipient->will_retry_until);
    line(self, "provider", recipient->provider);
    write_rule(self, recipient);
    word(self, "class", report_class_name(recipient->klass));
    word(self, "cause", report_class_name(recipient->cause));
    word(self, "permanence", report_permanence_name(recipient->permanence));
    word(self, "fault", report_fault_name(recipient->fault));
    line(self, "blocklist", recipient->blocklist);
    number(self, "retry after", recipient->retry_after_s, " s");
    word(self, "suppresses", suppression(recipient, path));
}

enum dsnd_err explain_page_write(struct explain_page *self, struct dsnd_str name,
                                 struct dsnd_str message, const struct report *report,
                                 struct dsnd_str trace)
{
    struct return_path path;

    put(self, name);
    say(self, "\n");
    write_message(self, report, trace);
    write_returned(self, &report->returned);
    write_paths(self, message, report, &path);
    for (size_t i = 0; i < report->recipient_count; i++)
        write_recipient(self, &report->recipients[i], &path);
    say(self, "\n");
    return self->err;
}
