/*
 * Postfix: lines of syslog or of its own maillog_file. cleanup names the Message-ID of a queue id,
 * qmgr its sender each time it becomes active, the delivery agents what became of each recipient.
 */
#include "base/clock.h"
#include "parse/mta_line.h"
#include "parse/status_code.h"

/* "name=value": the value is in < and >, or ends before ", ". False at the end. */
static bool next_attribute(struct dsnd_str *rest, struct dsnd_str *ret_name,
                           struct dsnd_str *ret_value)
{
    size_t end;

    if (!rest->len || dsnd_str_chr(*rest, '=') == SIZE_MAX)
        return false;
    *ret_name = dsnd_str_cut(rest, '=');
    *ret_value = mta_line_bracketed(rest);
    if (!dsnd_str_present(*ret_value)) {
        end = dsnd_str_find(*rest, DSND_STR(", "));
        *ret_value = dsnd_str_slice(*rest, 0, end);
        *rest = end == SIZE_MAX ? DSND_STR("") : dsnd_str_slice(*rest, end, rest->len);
    }
    if (dsnd_str_starts(*rest, DSND_STR(", ")))
        *rest = dsnd_str_slice(*rest, 2, rest->len);
    return true;
}

/* "(host mx[192.0.2.1] said: 550 no (in reply to RCPT TO command))": what the remote said. */
static struct dsnd_str reply_of(struct dsnd_str text)
{
    static const struct dsnd_str marks[] = {DSND_STR_INIT(" said: "),
                                            DSND_STR_INIT(" refused to talk to me: ")};
    size_t end;

    if (text.len && text.ptr[0] == '(')
        text = dsnd_str_slice(text, 1, text.len - (text.ptr[text.len - 1] == ')' ? 1 : 0));
    if (!dsnd_str_starts(text, DSND_STR("host ")))
        return text;
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
        size_t at = dsnd_str_find(text, marks[i]);

        if (at == SIZE_MAX)
            continue;
        text = dsnd_str_slice(text, at + marks[i].len, text.len);
        end = dsnd_str_find(text, DSND_STR(" (in reply to "));
        return dsnd_str_slice(text, 0, end);
    }
    return text;
}

/* "mx.there.example[192.0.2.1]:25" without address and port; "none" is none. */
static struct dsnd_str relay_of(struct dsnd_str relay)
{
    if (dsnd_str_eq(relay, DSND_STR("none")))
        return DSND_STR_ABSENT;
    return dsnd_str_slice(relay, 0, dsnd_str_chr(relay, '['));
}

static void read_delay(struct mta_event *event, struct dsnd_str value)
{
    uint64_t seconds;

    value = dsnd_str_slice(value, 0, dsnd_str_chr(value, '.'));
    if (!dsnd_str_to_u64(value, UINT32_MAX, &seconds))
        event->queued_us = event->at_us - (int64_t)seconds * DSND_US_PER_S;
}

static const struct {
    struct dsnd_str name;
    enum mta_event_kind kind;
    enum report_action action;
} statuses[] = {
    {DSND_STR_INIT("sent"), MTA_EVENT_RESULT, REPORT_ACTION_DELIVERED},
    {DSND_STR_INIT("deferred"), MTA_EVENT_RESULT, REPORT_ACTION_DELAYED},
    {DSND_STR_INIT("SOFTBOUNCE"), MTA_EVENT_RESULT, REPORT_ACTION_DELAYED},
    {DSND_STR_INIT("bounced"), MTA_EVENT_RESULT, REPORT_ACTION_FAILED},
    {DSND_STR_INIT("expired"), MTA_EVENT_RESULT, REPORT_ACTION_FAILED},
    {DSND_STR_INIT("force-expired"), MTA_EVENT_RESULT, REPORT_ACTION_FAILED},
    /* Probes of addresses (reject_unverified_recipient) and lists: no delivery. */
    {DSND_STR_INIT("deliverable"), MTA_EVENT_OTHER, REPORT_ACTION_NONE},
    {DSND_STR_INIT("undeliverable"), MTA_EVENT_OTHER, REPORT_ACTION_NONE},
};

static enum dsnd_err set_status(struct mta_line *self, struct dsnd_str status)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        if (!dsnd_str_eq(status, statuses[i].name))
            continue;
        self->event->kind = statuses[i].kind;
        self->event->action = statuses[i].action;
        return DSND_OK;
    }
    return mta_line_bad(self, "status= is none that Postfix has");
}

/* status=bounced (text): the text is the rest of the line, whatever stands in it. */
static enum dsnd_err read_status(struct mta_line *self, struct dsnd_str rest)
{
    struct dsnd_str status = dsnd_str_cut(&rest, ' ');
    enum dsnd_err err = set_status(self, status);

    self->event->diagnostic = reply_of(dsnd_str_trim(rest));
    /* local(8) hands it on under another queue id, or there is nobody at the other end. */
    if (dsnd_str_starts(self->event->diagnostic, DSND_STR("forwarded as ")))
        self->event->action = REPORT_ACTION_EXPANDED;
    return err;
}

/* "to=<a@b>, orig_to=<c@d>, relay=..., delay=1, delays=..., dsn=5.1.1, status=bounced (text)". */
static enum dsnd_err read_result(struct mta_line *self, struct dsnd_str rest)
{
    struct mta_event *event = self->event;
    struct dsnd_str to = DSND_STR_ABSENT;
    struct dsnd_str original = DSND_STR_ABSENT;
    struct dsnd_str name;
    struct dsnd_str value;
    enum dsnd_err err;

    while (!dsnd_str_starts(rest, DSND_STR("status="))) {
        if (!next_attribute(&rest, &name, &value))
            return mta_line_bad(self, "to= without status=");
        if (dsnd_str_eq(name, DSND_STR("to")))
            to = value;
        else if (dsnd_str_eq(name, DSND_STR("orig_to")))
            original = value;
        else if (dsnd_str_eq(name, DSND_STR("relay")))
            event->remote_mta = relay_of(value);
        else if (dsnd_str_eq(name, DSND_STR("delay")))
            read_delay(event, value);
        else if (dsnd_str_eq(name, DSND_STR("dsn")))
            (void)status_code_read(value, &event->status);
    }
    err = read_status(self, dsnd_str_slice(rest, sizeof("status=") - 1, rest.len));
    if (!err && original.len)
        event->final_recipient = to;
    return err ? err : mta_line_recipient(self, original.len ? original : to);
}

/* "from=<a@b>, size=1, nrcpt=1 (queue active)" or "from=<a@b>, status=expired, ...". */
static void read_queue(struct mta_event *event, struct dsnd_str rest)
{
    struct dsnd_str name;
    struct dsnd_str value;

    event->kind = MTA_EVENT_MESSAGE;
    while (next_attribute(&rest, &name, &value)) {
        if (dsnd_str_eq(name, DSND_STR("from")))
            event->sender = value;
        else if (dsnd_str_eq(name, DSND_STR("status")) &&
                 dsnd_str_iends(value, DSND_STR("expired")))
            event->kind = MTA_EVENT_EXPIRED;
    }
}

static bool is_queue_id(struct dsnd_str s)
{
    enum { QUEUE_ID_MIN = 5, QUEUE_ID_MAX = 30 };

    if (s.len < QUEUE_ID_MIN || s.len > QUEUE_ID_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!dsnd_is_alpha(s.ptr[i]) && !dsnd_is_digit(s.ptr[i]))
            return false;
    return true;
}

enum dsnd_err mta_postfix_read(struct mta_line *self, struct dsnd_str text)
{
    struct mta_event *event = self->event;
    struct dsnd_str tag;
    struct dsnd_str daemon;
    size_t colon;

    if (!mta_line_syslog(self, &text, &tag))
        return mta_line_bad(self, "no syslog line (time, host, program:)");
    colon = dsnd_str_find(text, DSND_STR(": "));
    /* The syslog_name may be any ("postfix-out/smtp"), so the daemon is what stands last. */
    if (dsnd_str_rchr(tag, '/') == SIZE_MAX || colon == SIZE_MAX)
        return DSND_OK;
    daemon = dsnd_str_slice(tag, dsnd_str_rchr(tag, '/') + 1, tag.len);
    event->queue_id = dsnd_str_slice(text, 0, colon);
    text = dsnd_str_slice(text, colon + 2, text.len);
    if (!is_queue_id(event->queue_id))
        return DSND_OK;
    if (dsnd_str_starts(text, DSND_STR("to=<")))
        return read_result(self, text);
    if (dsnd_str_eq(text, DSND_STR("removed"))) {
        event->kind = MTA_EVENT_REMOVED;
    } else if (dsnd_str_iends(daemon, DSND_STR("qmgr")) &&
               dsnd_str_starts(text, DSND_STR("from=<"))) {
        read_queue(event, text);
    } else if (dsnd_str_starts(text, DSND_STR("message-id="))) {
        event->kind = MTA_EVENT_MESSAGE;
        event->message_id =
            mta_line_bare(dsnd_str_slice(text, sizeof("message-id=") - 1, text.len));
    }
    return DSND_OK;
}
