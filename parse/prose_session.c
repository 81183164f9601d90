#include "parse/prose_reader.h"

#include <stdint.h>

#include "parse/address.h"
#include "parse/prose_reply.h"
#include "parse/status_code.h"

/* The host of "... while talking to mx.example.:". */
static void take_host(struct prose_reader *self, struct dsnd_str line)
{
    static const struct dsnd_str lead = DSND_STR_INIT("while talking to ");
    size_t at = dsnd_str_ifind(line, lead);
    struct dsnd_str host;

    if (at == SIZE_MAX)
        return;
    host = dsnd_str_trim(dsnd_str_slice(line, at + lead.len, line.len));
    while (host.len && (host.ptr[host.len - 1] == ':' || host.ptr[host.len - 1] == '.'))
        host.len--;
    self->host = host;
}

static struct report_recipient *recipient_at(struct prose_reader *self, size_t index)
{
    struct report *report = self->draft->report;

    return index < report->recipient_count ? &report->recipients[index] : NULL;
}

static void give_reply(struct prose_reader *self, size_t index, struct dsnd_str text)
{
    struct report_recipient *recipient = recipient_at(self, index);

    if (!recipient)
        return;
    if (!status_reply_find(recipient->diagnostic).code)
        recipient->diagnostic = text;
    if (!recipient->remote_mta.len)
        recipient->remote_mta = self->host;
}

static bool is_code(struct dsnd_str text)
{
    return text.len > 3 && (text.ptr[0] == '4' || text.ptr[0] == '5') &&
           dsnd_is_digit(text.ptr[1]) && dsnd_is_digit(text.ptr[2]) &&
           (text.ptr[3] == ' ' || text.ptr[3] == '-');
}

/* What the server answered: to the last RCPT, else to all. */
static void take_reply(struct prose_reader *self, struct dsnd_str text)
{
    if (!is_code(text))
        return;
    if (self->rcpt != SIZE_MAX)
        give_reply(self, self->rcpt, text);
    else
        self->pending = text;
    if (self->rcpt == SIZE_MAX && !self->refusal.len)
        self->refusal = text;
}

/* What the client said: RCPT names whom the next reply is about. */
static void take_command(struct prose_reader *self, struct dsnd_str text)
{
    struct dsnd_str address;
    size_t at = 0;

    self->rcpt = SIZE_MAX;
    self->pending = DSND_STR_ABSENT;
    if (!dsnd_str_istarts(text, DSND_STR("RCPT")))
        return;
    address = address_next(text, &at);
    if (address.len)
        self->rcpt = prose_reader_add(self, address);
}

/* "550 5.1.1 <a@b.example>... User unknown", the mailer's own notice. */
static void take_notice(struct prose_reader *self, struct dsnd_str line)
{
    struct dsnd_str address;
    size_t at = 0;

    if (dsnd_str_find(line, DSND_STR("...")) == SIZE_MAX || !(is_code(line) || line.ptr[0] == '<'))
        return;
    address = address_next(line, &at);
    if (address.len &&
        dsnd_str_find(dsnd_str_slice(line, at, at + 4), DSND_STR("...")) != SIZE_MAX) {
        give_reply(self, prose_reader_add(self, address), self->pending.len ? self->pending : line);
        self->pending = DSND_STR_ABSENT;
        return;
    }
    if (!self->refusal.len)
        self->refusal = line;
}

void prose_session_line(struct prose_reader *self, struct dsnd_str line)
{
    bool is_marked;
    struct dsnd_str text = prose_reply_content(line, &is_marked);

    if (dsnd_str_starts(text, DSND_STR("... while")) ||
        dsnd_str_istarts(text, DSND_STR("while talking to")))
        take_host(self, text);
    else if (is_marked && text.len && dsnd_is_digit(text.ptr[0]))
        take_reply(self, text);
    else if (is_marked)
        take_command(self, text);
    else if (text.len)
        take_notice(self, text);
}

void prose_session_end(struct prose_reader *self)
{
    if (!self->refusal.len)
        return;
    for (size_t i = self->first; i < self->draft->report->recipient_count; i++)
        give_reply(self, i, self->refusal);
}
