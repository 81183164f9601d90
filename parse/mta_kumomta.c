/*
 * KumoMTA: log records, one JSON object a line. Each names sender and recipient, so no line depends
 * on another. https://docs.kumomta.com/reference/log_record/
 */
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "parse/mta_line.h"

static const struct {
    struct dsnd_str name;
    enum report_action action;
    bool is_report;
} types[] = {
    {DSND_STR_INIT("Delivery"), REPORT_ACTION_DELIVERED, false},
    {DSND_STR_INIT("TransientFailure"), REPORT_ACTION_DELAYED, false},
    {DSND_STR_INIT("Bounce"), REPORT_ACTION_FAILED, false},
    {DSND_STR_INIT("Expiration"), REPORT_ACTION_FAILED, false},
    {DSND_STR_INIT("AdminBounce"), REPORT_ACTION_FAILED, false},
    {DSND_STR_INIT("OOB"), REPORT_ACTION_FAILED, true},
};

static struct dsnd_str text_of(const json_t *value)
{
    return json_is_string(value)
               ? dsnd_str_make(json_string_value(value), json_string_length(value))
               : DSND_STR_ABSENT;
}

static enum dsnd_err copy(struct mta_line *self, const json_t *value, struct dsnd_str *ret_text)
{
    return dsnd_arena_copy(self->arena, text_of(value), ret_text);
}

/* Seconds since 1970, whole or not, or RFC 3339. */
static bool read_time(struct mta_line *self, const json_t *value, int64_t *ret_us)
{
    struct dsnd_str text = text_of(value);
    double seconds = json_number_value(value);

    if (dsnd_str_present(text))
        return mta_time_iso(&self->log->clock, &text, ret_us) && !text.len;
    if (!json_is_number(value) || !(seconds >= 0 && seconds < 253402300800.0))
        return false;
    *ret_us = (int64_t)(seconds * (double)DSND_US_PER_S);
    return true;
}

static enum dsnd_err read_recipients(struct mta_line *self, const json_t *value)
{
    struct dsnd_str one = DSND_STR_ABSENT;
    enum dsnd_err err = DSND_OK;

    if (!json_is_array(value)) {
        err = copy(self, value, &one);
        return err ? err : mta_line_recipient(self, one);
    }
    for (size_t i = 0; i < json_array_size(value) && !err; i++) {
        err = copy(self, json_array_get(value, i), &one);
        if (!err)
            err = mta_line_recipient(self, one);
    }
    return err;
}

static uint16_t part(const json_t *code, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(code, name));

    return n < 0 || n > 999 ? 0 : (uint16_t)n;
}

/* {"code":550,"enhanced_code":{...},"content":"no"}: as the remote said it. */
static enum dsnd_err read_response(struct mta_line *self, const json_t *response)
{
    enum { FRONT_SIZE = 32 };
    const json_t *enhanced = json_object_get(response, "enhanced_code");
    struct dsnd_str content = text_of(json_object_get(response, "content"));
    struct report_status status = {part(enhanced, "class"), part(enhanced, "subject"),
                                   part(enhanced, "detail")};
    uint16_t code = part(response, "code");
    char front[FRONT_SIZE] = "";
    char dotted[REPORT_STATUS_SIZE];
    size_t front_len;
    char *out;

    if (!json_is_object(response))
        return DSND_OK;
    report_status_format(status, dotted);
    if (code)
        (void)snprintf(front, sizeof(front), "%u %s%s", code, dotted, dotted[0] ? " " : "");
    front_len = dsnd_str_of(front).len;
    out = dsnd_arena_alloc(self->arena, front_len + content.len + 1);
    if (!out)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < front_len; i++)
        out[i] = front[i];
    for (size_t i = 0; i < content.len; i++)
        out[front_len + i] = content.ptr[i];
    self->event->diagnostic = dsnd_str_make(out, front_len + content.len);
    if (status.klass == 2 || status.klass == 4 || status.klass == 5)
        self->event->status = status;
    return DSND_OK;
}

static enum dsnd_err read_peer(struct mta_line *self, const json_t *peer)
{
    struct dsnd_str *name = &self->event->remote_mta;
    enum dsnd_err err = copy(self, json_object_get(peer, "name"), name);

    if (!err && name->len && name->ptr[name->len - 1] == '.')
        name->len--;
    return err;
}

/* Header names are what the configuration of the log asked for, in any case. */
static enum dsnd_err read_headers(struct mta_line *self, json_t *headers)
{
    const char *name;
    json_t *value;
    enum dsnd_err err = DSND_OK;

    json_object_foreach(headers, name, value)
    {
        if (!dsnd_str_ieq(dsnd_str_of(name), DSND_STR("Message-ID")) || err)
            continue;
        err = copy(self, value, &self->event->message_id);
        self->event->message_id = mta_line_bare(self->event->message_id);
    }
    return err;
}

/* RFC 5965: about which of our messages somebody complains. */
static enum dsnd_err read_feedback(struct mta_line *self, const json_t *feedback)
{
    static const struct {
        struct dsnd_str name;
        enum report_feedback feedback;
    } kinds[] = {
        {DSND_STR_INIT("abuse"), REPORT_FEEDBACK_ABUSE},
        {DSND_STR_INIT("fraud"), REPORT_FEEDBACK_FRAUD},
        {DSND_STR_INIT("virus"), REPORT_FEEDBACK_VIRUS},
        {DSND_STR_INIT("not-spam"), REPORT_FEEDBACK_NOT_SPAM},
        {DSND_STR_INIT("auth-failure"), REPORT_FEEDBACK_AUTH_FAILURE},
        {DSND_STR_INIT("opt-out"), REPORT_FEEDBACK_OPT_OUT},
    };
    struct mta_event *event = self->event;
    struct dsnd_str type = text_of(json_object_get(feedback, "feedback_type"));
    enum dsnd_err err;

    event->kind = MTA_EVENT_RESULT;
    event->is_report = true;
    event->feedback = REPORT_FEEDBACK_OTHER;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (dsnd_str_ieq(type, kinds[i].name))
            event->feedback = kinds[i].feedback;
    err = copy(self, json_object_get(feedback, "original_mail_from"), &event->sender);
    event->sender = mta_line_bare(event->sender);
    return err ? err : read_recipients(self, json_object_get(feedback, "original_rcpt_to"));
}

static enum dsnd_err read_result(struct mta_line *self, json_t *record)
{
    struct mta_event *event = self->event;
    enum dsnd_err err = copy(self, json_object_get(record, "sender"), &event->sender);

    event->kind = MTA_EVENT_RESULT;
    (void)read_time(self, json_object_get(record, "created"), &event->queued_us);
    if (!err)
        err = read_recipients(self, json_object_get(record, "recipient"));
    if (!err)
        err = read_response(self, json_object_get(record, "response"));
    if (!err)
        err = read_peer(self, json_object_get(record, "peer_address"));
    if (!err)
        err = read_headers(self, json_object_get(record, "headers"));
    if (err)
        return err;
    event->sender = mta_line_bare(event->sender);
    if (!dsnd_str_present(event->sender))
        return mta_line_bad(self, "no \"sender\"");
    return event->recipient_count ? DSND_OK : mta_line_bad(self, "no \"recipient\"");
}

static enum dsnd_err read_record(struct mta_line *self, json_t *record)
{
    struct dsnd_str type = text_of(json_object_get(record, "type"));

    if (!json_is_object(record) || !type.len)
        return mta_line_bad(self, "no log record (an object with \"type\")");
    if (!read_time(self, json_object_get(record, "timestamp"), &self->event->at_us))
        return mta_line_bad(self, "no \"timestamp\"");
    if (dsnd_str_eq(type, DSND_STR("Feedback")))
        return read_feedback(self, json_object_get(record, "feedback_report"));
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (!dsnd_str_eq(type, types[i].name))
            continue;
        self->event->action = types[i].action;
        self->event->is_report = types[i].is_report;
        return read_result(self, record);
    }
    return DSND_OK;
}

enum dsnd_err mta_kumomta_read(struct mta_line *self, struct dsnd_str text)
{
    json_t *record = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, NULL);
    enum dsnd_err err;

    if (!record)
        return mta_line_bad(self, "no JSON");
    err = read_record(self, record);
    json_decref(record);
    return err;
}
