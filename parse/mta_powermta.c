/*
 * PowerMTA: accounting files, CSV (RFC 4180) with a header line that says which column is what.
 * Each record names sender and recipient, so no line depends on another.
 */
#include "parse/address.h"
#include "parse/mta_line.h"
#include "parse/status_code.h"

enum slot {
    SLOT_TYPE,
    SLOT_LOGGED,
    SLOT_QUEUED,
    SLOT_SENDER,
    SLOT_RECIPIENT,
    SLOT_ORIGINAL,
    SLOT_STATUS,
    SLOT_DIAGNOSTIC,
    SLOT_REMOTE,
    SLOT_HOST,
    SLOT_ENVELOPE_ID,
    SLOT_MESSAGE_ID,
    SLOT_RETURN_PATH,
    SLOT_FEEDBACK,
    SLOT_COUNT,
    SLOT_NONE = -1,
};

static const struct {
    struct dsnd_str name;
    enum slot slot;
} names[] = {
    {DSND_STR_INIT("type"), SLOT_TYPE},
    {DSND_STR_INIT("timeLogged"), SLOT_LOGGED},
    {DSND_STR_INIT("timeQueued"), SLOT_QUEUED},
    {DSND_STR_INIT("orig"), SLOT_SENDER},
    {DSND_STR_INIT("rcpt"), SLOT_RECIPIENT},
    {DSND_STR_INIT("orcpt"), SLOT_ORIGINAL},
    {DSND_STR_INIT("dsnStatus"), SLOT_STATUS},
    {DSND_STR_INIT("dsnDiag"), SLOT_DIAGNOSTIC},
    {DSND_STR_INIT("dsnMta"), SLOT_REMOTE},
    {DSND_STR_INIT("dsnReportingMta"), SLOT_HOST},
    {DSND_STR_INIT("envId"), SLOT_ENVELOPE_ID},
    {DSND_STR_INIT("header_Message-Id"), SLOT_MESSAGE_ID},
    {DSND_STR_INIT("header_Return-Path"), SLOT_RETURN_PATH},
    {DSND_STR_INIT("feedbackType"), SLOT_FEEDBACK},
};

/* Types of records; in a file of one type it may be written out. */
static const struct {
    struct dsnd_str name;
    enum report_action action; /* NONE: it complains */
    bool is_report;
} types[] = {
    {DSND_STR_INIT("d"), REPORT_ACTION_DELIVERED, false},
    {DSND_STR_INIT("delivery"), REPORT_ACTION_DELIVERED, false},
    {DSND_STR_INIT("b"), REPORT_ACTION_FAILED, false},
    {DSND_STR_INIT("bounce"), REPORT_ACTION_FAILED, false},
    {DSND_STR_INIT("rb"), REPORT_ACTION_FAILED, true},
    {DSND_STR_INIT("t"), REPORT_ACTION_DELAYED, false},
    {DSND_STR_INIT("transient"), REPORT_ACTION_DELAYED, false},
    {DSND_STR_INIT("tq"), REPORT_ACTION_DELAYED, false},
    {DSND_STR_INIT("f"), REPORT_ACTION_NONE, true},
    {DSND_STR_INIT("feedback-loop"), REPORT_ACTION_NONE, true},
};

/* A quoted field without its quotes, "" as one. */
static enum dsnd_err unquote(struct mta_line *self, struct dsnd_str *rest,
                             struct dsnd_str *ret_field)
{
    char *out = dsnd_arena_alloc(self->arena, rest->len);
    size_t len = 0;
    size_t i = 1;

    if (!out)
        return DSND_ERR_NOMEM;
    for (; i < rest->len; i++) {
        if (rest->ptr[i] == '"') {
            if (i + 1 == rest->len || rest->ptr[i + 1] != '"')
                break;
            i++;
        }
        out[len++] = rest->ptr[i];
    }
    if (i >= rest->len)
        return mta_line_bad(self, "a quoted field without its end");
    *rest = dsnd_str_slice(*rest, i + 1, rest->len);
    if (rest->len && rest->ptr[0] != ',')
        return mta_line_bad(self, "text behind a quoted field");
    *rest = rest->len ? dsnd_str_slice(*rest, 1, rest->len) : DSND_STR_ABSENT;
    *ret_field = dsnd_str_make(out, len);
    return DSND_OK;
}

/* The next field; `*rest` is absent behind the last one. */
static enum dsnd_err next_field(struct mta_line *self, struct dsnd_str *rest,
                                struct dsnd_str *ret_field)
{
    if (rest->len && rest->ptr[0] == '"')
        return unquote(self, rest, ret_field);
    *ret_field = dsnd_str_cut(rest, ',');
    return DSND_OK;
}

static enum slot slot_of(struct dsnd_str name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (dsnd_str_ieq(name, names[i].name))
            return names[i].slot;
    return SLOT_NONE;
}

static enum dsnd_err read_header(struct mta_line *self, struct dsnd_str rest)
{
    struct mta_log *log = self->log;
    bool found[SLOT_COUNT] = {false};
    struct dsnd_str name = DSND_STR_ABSENT;
    enum dsnd_err err = DSND_OK;

    for (log->column_count = 0; dsnd_str_present(rest) && !err;) {
        enum slot slot;

        if (log->column_count == MTA_LOG_COLUMNS_MAX)
            err = mta_line_bad(self, "a header line of more than 128 columns");
        if (!err)
            err = next_field(self, &rest, &name);
        slot = err ? SLOT_NONE : slot_of(dsnd_str_trim(name));
        if (!err)
            log->columns[log->column_count++] = (signed char)slot;
        if (slot >= 0)
            found[slot] = true;
    }
    if (!err && !(found[SLOT_LOGGED] && found[SLOT_SENDER] && found[SLOT_RECIPIENT]))
        err = mta_line_bad(self, "a header line without timeLogged, orig or rcpt");
    if (err)
        log->column_count = 0;
    return err;
}

static enum dsnd_err split(struct mta_line *self, struct dsnd_str rest,
                           struct dsnd_str value[SLOT_COUNT])
{
    struct dsnd_str field = DSND_STR_ABSENT;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; dsnd_str_present(rest) && !err; i++) {
        err = next_field(self, &rest, &field);
        if (err)
            return err;
        if (i >= self->log->column_count)
            return mta_line_bad(self, "more fields than the header line has columns");
        if (self->log->columns[i] >= 0)
            value[self->log->columns[i]] = dsnd_str_trim(field);
    }
    return err;
}

static enum dsnd_err read_recipient(struct mta_line *self, struct dsnd_str original,
                                    struct dsnd_str recipient)
{
    struct dsnd_str address = DSND_STR_ABSENT;
    enum dsnd_err err =
        original.len ? address_from_field(self->arena, original, true, &address) : DSND_OK;

    if (err)
        return err;
    if (!address_is_mail(address))
        return mta_line_recipient(self, mta_line_bare(recipient));
    self->event->final_recipient = mta_line_bare(recipient);
    return mta_line_recipient(self, address);
}

/* "smtp;550 5.1.1 no": without its type. */
static struct dsnd_str diagnostic_of(struct dsnd_str value)
{
    static const struct dsnd_str smtp = DSND_STR_INIT("smtp;");

    return dsnd_str_istarts(value, smtp) ? dsnd_str_trim(dsnd_str_slice(value, smtp.len, value.len))
                                         : value;
}

static enum dsnd_err read_result(struct mta_line *self, const struct dsnd_str value[SLOT_COUNT],
                                 bool complains)
{
    struct mta_event *event = self->event;
    struct dsnd_str sender = value[SLOT_SENDER];
    struct dsnd_str remote = value[SLOT_REMOTE];

    if (!dsnd_str_present(sender) || !value[SLOT_RECIPIENT].len)
        return mta_line_bad(self, "no orig or no rcpt");
    event->kind = MTA_EVENT_RESULT;
    if (complains) {
        event->feedback = dsnd_str_ieq(value[SLOT_FEEDBACK], DSND_STR("not-spam"))
                              ? REPORT_FEEDBACK_NOT_SPAM
                              : REPORT_FEEDBACK_ABUSE;
        if (value[SLOT_RETURN_PATH].len)
            sender = value[SLOT_RETURN_PATH];
    }
    (void)mta_time_number(&self->log->clock, value[SLOT_QUEUED], &event->queued_us);
    event->sender = mta_line_bare(sender);
    event->host = value[SLOT_HOST];
    event->envelope_id = value[SLOT_ENVELOPE_ID];
    event->message_id = mta_line_bare(value[SLOT_MESSAGE_ID]);
    event->remote_mta = dsnd_str_slice(remote, 0, dsnd_str_chr(remote, ' '));
    event->diagnostic = diagnostic_of(value[SLOT_DIAGNOSTIC]);
    (void)status_code_read(value[SLOT_STATUS], &event->status);
    return read_recipient(self, value[SLOT_ORIGINAL], value[SLOT_RECIPIENT]);
}

enum dsnd_err mta_powermta_read(struct mta_line *self, struct dsnd_str text)
{
    struct dsnd_str value[SLOT_COUNT] = {{0}};
    enum dsnd_err err;

    if (dsnd_str_istarts(text, DSND_STR("type,")))
        return read_header(self, text);
    if (!self->log->column_count)
        return mta_line_bad(self, "no header line (type,timeLogged,...) before it");
    err = split(self, text, value);
    if (err)
        return err;
    if (!mta_time_number(&self->log->clock, value[SLOT_LOGGED], &self->event->at_us))
        return mta_line_bad(self, "timeLogged is no time");
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (!dsnd_str_eq(value[SLOT_TYPE], types[i].name))
            continue;
        self->event->action = types[i].action;
        self->event->is_report = types[i].is_report;
        return read_result(self, value, types[i].action == REPORT_ACTION_NONE);
    }
    return DSND_OK;
}
