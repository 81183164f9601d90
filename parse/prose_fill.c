#include "parse/prose_fill.h"

#include <stdint.h>
#include <string.h>

#include "parse/prose_host.h"
#include "parse/prose_reader.h"
#include "parse/prose_text.h"
#include "parse/status_code.h"

/* "550 Rejected" gives no reason; the prose may name the command that was refused. */
enum { ENOUGH_WORDS = 2, COMMAND_OCTETS = 60 };

/* The words of a text that are no codes: "255" and "550 5.1.1" have none. */
static size_t count_words(struct dsnd_str text)
{
    size_t count = 0;
    bool inside = false;

    for (size_t i = 0; i < text.len; i++) {
        bool is_letter = dsnd_is_alpha(text.ptr[i]) || (unsigned char)text.ptr[i] >= 0x80;

        if (is_letter && !inside)
            count++;
        inside = is_letter || (inside && text.ptr[i] != ' ');
    }
    return count;
}

static bool has_words(struct dsnd_str text)
{
    return count_words(text) > 0;
}

static bool is_lacking(const struct report *report)
{
    for (size_t i = 0; i < report->recipient_count; i++)
        if (count_words(report->recipients[i].diagnostic) < ENOUGH_WORDS)
            return true;
    return false;
}

/* The prose for people: before the delivery status, as RFC 3462 section 1 has it. */
static const struct mime_part *find_prose(const struct mime_message *mime)
{
    for (size_t i = 0; i < mime->part_count; i++) {
        const struct mime_part *part = &mime->parts[i];

        if (part->role == MIME_ROLE_STATUS || part->role == MIME_ROLE_RETURNED)
            return NULL;
        if (part->role == MIME_ROLE_TEXT && dsnd_str_trim(part->text).len)
            return part;
    }
    return NULL;
}

/* Without what a gateway adds to every mail below a rule: "has been scanned for viruses". */
static struct dsnd_str without_footer(struct dsnd_str prose)
{
    return dsnd_str_slice(prose, 0, dsnd_str_find(prose, DSND_STR("\n__________")));
}

/* What the prose says of one recipient; what it says of none may be said of all. */
static struct dsnd_str text_for(const struct prose_reader *reader,
                                const struct report_recipient *recipient)
{
    const struct report *report = reader->draft->report;

    for (size_t i = 0; i < report->recipient_count; i++) {
        const struct report_recipient *one = &report->recipients[i];

        if (has_words(one->diagnostic) &&
            (dsnd_str_ieq(one->recipient, recipient->recipient) ||
             dsnd_str_ieq(one->recipient, recipient->final_recipient)))
            return dsnd_str_trim(one->diagnostic);
    }
    return reader->refusal;
}

/* The paragraph behind the address, without "(reason: ...)" around it; no field of a status. */
static struct dsnd_str reason_of(struct dsnd_str text)
{
    static const struct dsnd_str lead = DSND_STR_INIT("(reason:");
    size_t end;

    while (text.len && strchr(":> ,", text.ptr[0]))
        text = dsnd_str_slice(text, 1, text.len);
    end = dsnd_str_find(text, DSND_STR("\n\n"));
    text = dsnd_str_trim(dsnd_str_slice(text, 0, end));
    if (dsnd_str_istarts(text, lead)) {
        size_t close = dsnd_str_chr(text, '\n');

        text = dsnd_str_trim(dsnd_str_slice(text, lead.len, close));
        if (text.len && text.ptr[text.len - 1] == ')')
            text.len--;
    }
    return dsnd_str_istarts(text, DSND_STR("Final-Recipient:")) ? DSND_STR_ABSENT : text;
}

static void fill_one(struct draft *draft, const struct prose_reader *reader,
                     struct report_recipient *recipient)
{
    struct dsnd_str text = text_for(reader, recipient);
    struct status_reply reply;

    text = reason_of(text);
    if (!has_words(text))
        return;
    reply = status_reply_find(text);
    if (!recipient->smtp_code)
        recipient->smtp_code = reply.code;
    if (!recipient->smtp_status.klass)
        recipient->smtp_status = reply.status;
    if (!recipient->remote_mta.len)
        recipient->remote_mta =
            draft_text(draft, prose_host_find(text), draft->limits->address_octets);
    recipient->diagnostic = draft_text(draft, text, draft->limits->diagnostic_octets);
    draft_note(draft, "recipient %.*s: the prose says why", DSND_STR_ARG(recipient->recipient));
}

/*
 * "(in reply to end of DATA command)" behind the text of the only recipient, as the prose has it: a
 * reply to another command than RCPT TO may mean something else than the address.
 */
static void add_command(struct draft *draft, const struct mime_message *mime)
{
    static const struct dsnd_str lead = DSND_STR_INIT("(in reply");
    struct report *report = draft->report;
    struct report_recipient *only = report->recipients;
    const struct mime_part *part = report->recipient_count == 1 ? find_prose(mime) : NULL;
    struct dsnd_str text = part ? part->text : DSND_STR_ABSENT;
    size_t at = dsnd_str_find(text, lead);

    if (at == SIZE_MAX || !only->diagnostic.len ||
        dsnd_str_find(only->diagnostic, lead) != SIZE_MAX)
        return;
    text = dsnd_str_slice(text, at, at + COMMAND_OCTETS);
    text = dsnd_str_slice(text, 0, dsnd_str_chr(text, ')') + 1);
    if (text.len && text.ptr[text.len - 1] == ')' &&
        dsnd_str_find(text, DSND_STR("RCPT")) == SIZE_MAX)
        only->diagnostic =
            draft_join(draft, only->diagnostic, text, draft->limits->diagnostic_octets);
}

void prose_fill(struct draft *draft, const struct mime_message *mime)
{
    struct report *report = draft->report;
    const struct mime_part *part = is_lacking(report) ? find_prose(mime) : NULL;
    struct prose_reader reader;
    struct report said;
    struct draft spare;

    if (!part) {
        add_command(draft, mime);
        return;
    }
    draft_init(&spare, draft->limits, draft->arena, &said, NULL);
    draft->prose = without_footer(prose_text_of(&spare, part, false).prose);
    prose_reader_init(&reader, &spare, draft->prose, DSND_STR_ABSENT);
    if (prose_reader_run(&reader) == 0) {
        reader.is_loose = true;
        (void)prose_reader_run(&reader);
    }
    if (!draft->err)
        draft->err = spare.err;
    for (size_t i = 0; i < report->recipient_count; i++)
        if (!has_words(report->recipients[i].diagnostic))
            fill_one(draft, &reader, &report->recipients[i]);
}
