/*
 * Exim: lines of the main log, in its own file or through syslog, with any log_selector. "<=" names
 * sender and Message-ID of a message id, "=>", "->", ">>", "**" and "==" what became of a
 * recipient.
 */
#include "parse/mta_line.h"
#include "parse/status_code.h"

/* 6-6-2 characters, or 6-11-4 from 4.97 on. */
static bool is_message_id(struct dsnd_str s)
{
    static const struct {
        size_t len;
        size_t first;
        size_t second;
    } forms[] = {{16, 6, 13}, {23, 6, 18}};

    for (size_t f = 0; f < sizeof(forms) / sizeof(*forms); f++) {
        bool good = s.len == forms[f].len;

        for (size_t i = 0; i < s.len && good; i++)
            good = i == forms[f].first || i == forms[f].second
                       ? s.ptr[i] == '-'
                       : dsnd_is_alpha(s.ptr[i]) || dsnd_is_digit(s.ptr[i]);
        if (good)
            return true;
    }
    return false;
}

/* The next word; white space within quotes belongs to it. Absent at the end. */
static struct dsnd_str next_word(struct dsnd_str *rest)
{
    struct dsnd_str word;
    size_t space;

    *rest = dsnd_str_trim(*rest);
    if (!rest->len)
        return DSND_STR_ABSENT;
    space = mta_line_find(*rest, ' ');
    word = dsnd_str_slice(*rest, 0, space);
    *rest = space == SIZE_MAX ? DSND_STR("") : dsnd_str_slice(*rest, space, rest->len);
    return word;
}

static struct dsnd_str unquoted(struct dsnd_str s)
{
    if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
        return dsnd_str_slice(s, 1, s.len - 1);
    return s;
}

/* "R=lookup", "DN="C=.."": one or more letters, or digits, before the '='. */
static bool split_field(struct dsnd_str word, struct dsnd_str *ret_name, struct dsnd_str *ret_value)
{
    enum { NAME_MAX_OCTETS = 6 };
    size_t equals = dsnd_str_chr(word, '=');

    if (equals == SIZE_MAX || !equals || equals > NAME_MAX_OCTETS)
        return false;
    for (size_t i = 0; i < equals; i++)
        if (!dsnd_is_alpha(word.ptr[i]) && !dsnd_is_digit(word.ptr[i]))
            return false;
    *ret_name = dsnd_str_slice(word, 0, equals);
    *ret_value = dsnd_str_slice(word, equals + 1, word.len);
    return true;
}

/* "mx.there.example" of "H=mx.there.example [192.0.2.1]:25". */
static struct dsnd_str host_of(struct dsnd_str value)
{
    if (value.len && value.ptr[0] == '[')
        return dsnd_str_slice(value, 1, dsnd_str_chr(value, ']'));
    return value;
}

/* What the fields say that is asked for; the others are passed over. */
static void read_fields(struct mta_event *event, struct dsnd_str rest)
{
    struct dsnd_str word;
    struct dsnd_str name;
    struct dsnd_str value;

    for (;;) {
        word = next_word(&rest);
        if (!dsnd_str_present(word))
            return;
        if (!split_field(word, &name, &value))
            continue;
        if (dsnd_str_eq(name, DSND_STR("H")))
            event->remote_mta = host_of(value);
        else if (dsnd_str_eq(name, DSND_STR("F")))
            event->sender = mta_line_bare(value);
        else if (dsnd_str_eq(name, DSND_STR("C")))
            event->diagnostic = unquoted(value);
        else if (dsnd_str_eq(name, DSND_STR("id")))
            event->message_id = mta_line_bare(value);
    }
}

/* Offset of the text behind the fields: the first ": " outside quotes. */
static size_t find_text(struct dsnd_str rest)
{
    size_t from = 0;

    for (;;) {
        struct dsnd_str tail = dsnd_str_slice(rest, from, rest.len);
        size_t colon = mta_line_find(tail, ':');

        if (colon == SIZE_MAX)
            return SIZE_MAX;
        if (colon + 1 < tail.len && tail.ptr[colon + 1] == ' ')
            return from + colon;
        from += colon + 1;
    }
}

/*
 * "SMTP error from remote mail server after RCPT TO:<a@b>: 550 no", before 4.83 with the host in
 * front of the reply: what the remote said.
 */
static struct dsnd_str reply_of(struct dsnd_str text)
{
    static const struct dsnd_str mark = DSND_STR_INIT("SMTP error from remote mail");
    size_t at = dsnd_str_ifind(text, mark);
    struct dsnd_str reply;

    if (at == SIZE_MAX)
        return text;
    reply = dsnd_str_slice(text, at, text.len);
    at = dsnd_str_find(reply, DSND_STR(": "));
    if (at == SIZE_MAX)
        return text;
    reply = dsnd_str_slice(reply, at + 2, reply.len);
    at = dsnd_str_find(reply, DSND_STR("]: "));
    if (dsnd_str_starts(reply, DSND_STR("host ")) && at != SIZE_MAX)
        reply = dsnd_str_slice(reply, at + 3, reply.len);
    return reply;
}

static void read_text(struct mta_event *event, struct dsnd_str *rest)
{
    size_t at = find_text(*rest);

    if (at == SIZE_MAX)
        return;
    event->diagnostic = reply_of(dsnd_str_trim(dsnd_str_slice(*rest, at + 2, rest->len)));
    *rest = dsnd_str_slice(*rest, 0, at);
}

/* Where nothing stands between address and text, the colon before the text is not the address's. */
static struct dsnd_str next_address(struct dsnd_str *rest)
{
    struct dsnd_str all = dsnd_str_trim(*rest);
    struct dsnd_str word = next_word(rest);

    if (word.len < 2 || word.ptr[0] == ':' || word.ptr[word.len - 1] != ':')
        return word;
    *rest = dsnd_str_slice(all, word.len - 1, all.len);
    return dsnd_str_slice(word, 0, word.len - 1);
}

/* "final <original> R=...": the original is whom the sender wrote to. */
static enum dsnd_err read_addresses(struct mta_line *self, struct dsnd_str *rest)
{
    struct dsnd_str final = next_address(rest);
    struct dsnd_str original;

    if (!final.len)
        return mta_line_bad(self, "no address behind the flag");
    *rest = dsnd_str_trim(*rest);
    /* A command ("|cmd arg <a@b>") may have arguments. */
    if (final.ptr[0] == '|' && dsnd_str_find(*rest, DSND_STR("<")) != SIZE_MAX)
        *rest = dsnd_str_slice(*rest, dsnd_str_chr(*rest, '<'), rest->len);
    original = mta_line_bracketed(rest);
    if (original.len)
        self->event->final_recipient = mta_line_bare(final);
    /* Thrown away by a router: neither delivered nor failed. */
    if (dsnd_str_eq(final, DSND_STR(":blackhole:")))
        self->event->kind = MTA_EVENT_OTHER;
    return mta_line_recipient(self, original.len ? original : mta_line_bare(final));
}

static enum dsnd_err read_result(struct mta_line *self, struct dsnd_str rest)
{
    enum dsnd_err err = read_addresses(self, &rest);
    struct mta_event *event = self->event;

    if (err)
        return err;
    if (event->action != REPORT_ACTION_DELIVERED)
        read_text(event, &rest);
    read_fields(event, rest);
    event->status = status_reply_find(event->diagnostic).status;
    return DSND_OK;
}

static enum dsnd_err read_arrival(struct mta_line *self, struct dsnd_str rest)
{
    struct dsnd_str sender = next_word(&rest);

    if (!sender.len)
        return mta_line_bad(self, "no address behind the flag");
    self->event->queued_us = self->event->at_us;
    read_fields(self->event, rest);
    self->event->sender = mta_line_bare(sender);
    self->event->remote_mta = DSND_STR_ABSENT;
    return DSND_OK;
}

static const struct {
    struct dsnd_str flag;
    enum mta_event_kind kind;
    enum report_action action;
    enum dsnd_err (*read)(struct mta_line *self, struct dsnd_str rest);
} flags[] = {
    {DSND_STR_INIT("<="), MTA_EVENT_MESSAGE, REPORT_ACTION_NONE, read_arrival},
    {DSND_STR_INIT("=>"), MTA_EVENT_RESULT, REPORT_ACTION_DELIVERED, read_result},
    {DSND_STR_INIT("->"), MTA_EVENT_RESULT, REPORT_ACTION_DELIVERED, read_result},
    {DSND_STR_INIT(">>"), MTA_EVENT_RESULT, REPORT_ACTION_DELIVERED, read_result},
    {DSND_STR_INIT("**"), MTA_EVENT_RESULT, REPORT_ACTION_FAILED, read_result},
    {DSND_STR_INIT("=="), MTA_EVENT_RESULT, REPORT_ACTION_DELAYED, read_result},
};

/* Its own time, or the prefix of syslog with or without its own time behind it. */
static bool take_prefix(struct mta_line *self, struct dsnd_str *text)
{
    enum { DATE_OCTETS = 10 };
    const struct mta_clock *clock = &self->log->clock;
    struct dsnd_str tag;

    if (text->len > DATE_OCTETS && text->ptr[DATE_OCTETS] == ' ' && dsnd_is_digit(text->ptr[0]))
        return mta_time_iso(clock, text, &self->event->at_us);
    if (!mta_line_syslog(self, text, &tag))
        return false;
    if (dsnd_str_istarts(tag, DSND_STR("exim")))
        (void)mta_time_iso(clock, text, &self->event->at_us);
    else
        *text = DSND_STR("");
    return true;
}

enum dsnd_err mta_exim_read(struct mta_line *self, struct dsnd_str text)
{
    struct dsnd_str flag;

    if (!take_prefix(self, &text))
        return mta_line_bad(self, "no time in front (2026-11-29 01:11:22)");
    if (text.len && text.ptr[0] == '[')
        (void)next_word(&text);
    self->event->queue_id = next_word(&text);
    if (!is_message_id(self->event->queue_id))
        return DSND_OK;
    flag = next_word(&text);
    if (dsnd_str_eq(flag, DSND_STR("Completed")))
        self->event->kind = MTA_EVENT_REMOVED;
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
        if (!dsnd_str_eq(flag, flags[i].flag))
            continue;
        self->event->kind = flags[i].kind;
        self->event->action = flags[i].action;
        return flags[i].read(self, text);
    }
    return DSND_OK;
}
