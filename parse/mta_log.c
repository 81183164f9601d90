#include "parse/mta_log.h"

#include <string.h>

#include "parse/mta_line.h"

static const struct {
    const char *name;
    enum dsnd_err (*read)(struct mta_line *line, struct dsnd_str text);
} formats[] = {
    [MTA_LOG_POSTFIX] = {"postfix", mta_postfix_read},
    [MTA_LOG_EXIM] = {"exim", mta_exim_read},
    [MTA_LOG_KUMOMTA] = {"kumomta", mta_kumomta_read},
    [MTA_LOG_POWERMTA] = {"powermta", mta_powermta_read},
};

void mta_log_init(struct mta_log *self, enum mta_log_format format, const struct mta_clock *clock)
{
    *self = (struct mta_log){.format = format, .clock = *clock};
}

enum dsnd_err mta_log_format_of(struct dsnd_str name, enum mta_log_format *ret_format)
{
    for (int i = 0; i < MTA_LOG_FORMATS; i++) {
        if (!dsnd_str_eq(name, dsnd_str_of(formats[i].name)))
            continue;
        *ret_format = (enum mta_log_format)i;
        return DSND_OK;
    }
    return DSND_ERR_NOT_FOUND;
}

const char *mta_log_format_name(enum mta_log_format format)
{
    return formats[format].name;
}

enum dsnd_err mta_log_read(struct mta_log *self, struct dsnd_str line, struct dsnd_arena *arena,
                           struct mta_event *ret_event, const char **ret_why)
{
    struct mta_event event = {.kind = MTA_EVENT_OTHER};
    struct mta_line reader = {self, arena, &event, ""};
    enum dsnd_err err = DSND_OK;

    line = dsnd_str_trim(line);
    if (line.len)
        err = formats[self->format].read(&reader, line);
    if (err)
        *ret_why = reader.why;
    else
        *ret_event = event;
    return err;
}

enum dsnd_err mta_line_bad(struct mta_line *self, const char *why)
{
    self->why = why;
    return DSND_ERR_SYNTAX;
}

bool mta_line_syslog(struct mta_line *self, struct dsnd_str *rest, struct dsnd_str *ret_tag)
{
    struct dsnd_str at = *rest;
    struct dsnd_str host;
    struct dsnd_str tag;

    if (at.len && at.ptr[0] == '<')
        at = dsnd_str_slice(at, dsnd_str_chr(at, '>') + 1, at.len);
    if (!mta_time_syslog(&self->log->clock, &at, &self->event->at_us))
        return false;
    host = dsnd_str_cut(&at, ' ');
    tag = dsnd_str_cut(&at, ' ');
    if (!host.len || tag.len < 2 || tag.ptr[tag.len - 1] != ':')
        return false;
    self->event->host = host;
    tag = dsnd_str_slice(tag, 0, tag.len - 1);
    *ret_tag = dsnd_str_slice(tag, 0, dsnd_str_chr(tag, '['));
    *rest = at;
    return true;
}

size_t mta_line_find(struct dsnd_str text, char c)
{
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        if (quoted && text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '"')
            quoted = !quoted;
        else if (!quoted && text.ptr[i] == c)
            return i;
    }
    return SIZE_MAX;
}

struct dsnd_str mta_line_bracketed(struct dsnd_str *rest)
{
    struct dsnd_str inner;
    size_t close;

    if (!rest->len || rest->ptr[0] != '<')
        return DSND_STR_ABSENT;
    close = mta_line_find(*rest, '>');
    if (close == SIZE_MAX)
        return DSND_STR_ABSENT;
    inner = dsnd_str_slice(*rest, 1, close);
    *rest = dsnd_str_slice(*rest, close + 1, rest->len);
    return inner;
}

struct dsnd_str mta_line_bare(struct dsnd_str text)
{
    text = dsnd_str_trim(text);
    if (text.len >= 2 && text.ptr[0] == '<' && text.ptr[text.len - 1] == '>')
        return dsnd_str_slice(text, 1, text.len - 1);
    return text;
}

enum dsnd_err mta_line_recipient(struct mta_line *self, struct dsnd_str address)
{
    struct mta_event *event = self->event;

    if (!event->recipients)
        event->recipients =
            dsnd_arena_array(self->arena, MTA_LOG_RECIPIENTS_MAX, sizeof(*event->recipients));
    if (!event->recipients)
        return DSND_ERR_NOMEM;
    if (address.len && event->recipient_count < MTA_LOG_RECIPIENTS_MAX)
        event->recipients[event->recipient_count++] = address;
    return DSND_OK;
}
