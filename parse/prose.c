#include "parse/prose.h"

#include <stdint.h>
#include <string.h>

#include "parse/address.h"
#include "parse/dsn.h"
#include "parse/prose_envelope.h"
#include "parse/prose_host.h"
#include "parse/prose_reader.h"
#include "parse/prose_reply.h"
#include "parse/prose_text.h"
#include "parse/status_code.h"

enum {
    PARTS_MAX = 4,      /* tried of one message */
    LEAD_OCTETS = 4096, /* of the prose, as the text of a recipient that has none of its own */
};

/* Was `known` made of the name alone that stands before the @ of `address`? */
static bool is_name_of(const struct prose_reader *reader, struct dsnd_str known,
                       struct dsnd_str address)
{
    size_t sign = dsnd_str_rchr(address, '@');
    bool is_ours =
        known.ptr < reader->prose.ptr || known.ptr >= reader->prose.ptr + reader->prose.len;

    return is_ours && sign != SIZE_MAX && dsnd_str_rchr(known, '@') == sign &&
           dsnd_str_ieq(dsnd_str_slice(known, 0, sign), dsnd_str_slice(address, 0, sign));
}

/* Give a recipient that was a name alone its whole address; false where there is none. */
static bool complete_name(const struct prose_reader *reader, struct dsnd_str address)
{
    struct report *report = reader->draft->report;

    for (size_t i = reader->first; i < report->recipient_count; i++)
        if (is_name_of(reader, report->recipients[i].recipient, address)) {
            report->recipients[i].recipient = address;
            return true;
        }
    return false;
}

/* Recipients of X-Failed-Recipients that the prose did not name. */
static void add_failed(struct prose_reader *reader, struct dsnd_str list)
{
    size_t at = 0;

    for (struct dsnd_str address = address_next(list, &at); address.len;
         address = address_next(list, &at))
        if (!complete_name(reader, address))
            (void)prose_reader_add(reader, address);
}

/* "please contact <a@b.example>" */
static bool is_contact(struct dsnd_str prose, struct dsnd_str address)
{
    size_t at = (size_t)(address.ptr - prose.ptr);
    struct dsnd_str before = dsnd_str_slice(prose, at > 16 ? at - 16 : 0, at);

    return dsnd_str_ifind(before, DSND_STR("contact")) != SIZE_MAX ||
           dsnd_str_ifind(before, DSND_STR("mail to")) != SIZE_MAX;
}

/* The only address but our own that the prose holds; absent where there are several. */
static struct dsnd_str only_address(const struct prose_reader *reader, struct dsnd_str sender)
{
    struct dsnd_str only = DSND_STR_ABSENT;
    struct dsnd_str contact = DSND_STR_ABSENT;
    size_t at = 0;

    for (;;) {
        struct dsnd_str address = address_next(reader->prose, &at);

        if (!address.len)
            return only;
        if (is_contact(reader->prose, address))
            contact = address;
        if (dsnd_str_ieq(address, contact))
            continue;
        if (dsnd_str_ieq(address, reader->own) || dsnd_str_ieq(address, sender) ||
            dsnd_str_istarts(address, DSND_STR("postmaster@")))
            continue;
        if (only.len && !dsnd_str_ieq(only, address))
            return DSND_STR_ABSENT;
        only = address;
    }
}

/* The first address of the To line in the returned message of the same part. */
static struct dsnd_str copied_to(struct dsnd_str copy)
{
    for (size_t lines = 0; copy.len && lines < 200; lines++) {
        struct dsnd_str line = dsnd_str_cut(&copy, '\n');
        size_t at = 3;

        if (dsnd_str_istarts(line, DSND_STR("To:")))
            return address_next(line, &at);
    }
    return DSND_STR_ABSENT;
}

/* A failure that names nobody: the prose as a whole, then the returned message says whom. */
static void add_unnamed(struct prose_reader *reader, const struct prose_envelope *envelope,
                        struct dsnd_str copy)
{
    struct draft *draft = reader->draft;
    struct dsnd_str address = only_address(reader, draft->report->from);
    struct report_recipient *recipient;

    if (!address.len && !envelope->returns_report)
        address = draft->report->returned.to;
    if (!address.len)
        address = copied_to(copy);
    if (address.len) {
        (void)prose_reader_add(reader, address);
        return;
    }
    recipient = draft_add(draft);
    if (recipient)
        recipient->action = REPORT_ACTION_FAILED;
    draft_warn(draft, REPORT_WARNING_NO_RECIPIENT);
}

/* What stands in the prose behind a text that ends with a colon: the reason. */
static struct dsnd_str behind_colon(const struct prose_reader *reader, struct dsnd_str text)
{
    size_t end = (size_t)(text.ptr + text.len - reader->prose.ptr);

    if (!text.len || text.ptr[text.len - 1] != ':' || text.ptr < reader->prose.ptr ||
        end > reader->prose.len)
        return DSND_STR_ABSENT;
    return prose_reply_of(dsnd_str_trim(dsnd_str_slice(reader->prose, end, end + LEAD_OCTETS)));
}

/*
 * The text of the only recipient has no code, but a line elsewhere begins with a reply: what was
 * refused stands there, and beside it to whom.
 */
static struct dsnd_str text_with_reply(const struct prose_reader *reader, struct dsnd_str text)
{
    struct status_reply own = status_reply_find(text);
    struct dsnd_str reply;

    if (own.code || own.status.klass || !text.len)
        return text;
    reply = behind_colon(reader, text);
    if (reply.len || reader->draft->report->recipient_count != reader->first + 1)
        return reply.len ? reply : text;
    reply = dsnd_str_slice(prose_reply_find(reader->prose), 0, LEAD_OCTETS);
    return reply.len ? reply : text;
}

/* Codes, host and text of one recipient, from what the reader left in `diagnostic`. */
static void finish(const struct prose_reader *reader, struct report_recipient *recipient)
{
    struct draft *draft = reader->draft;
    struct dsnd_str text = text_with_reply(reader, dsnd_str_trim(recipient->diagnostic));
    struct status_reply reply;

    while (text.len && strchr(">:\"') \n", text.ptr[0]))
        text = dsnd_str_slice(text, 1, text.len);
    if (!text.len)
        text = dsnd_str_trim(dsnd_str_slice(reader->prose, 0, LEAD_OCTETS));
    reply = status_reply_find(text);
    recipient->smtp_code = reply.code;
    recipient->smtp_status = reply.status;
    if (!recipient->remote_mta.len)
        recipient->remote_mta = prose_host_find(text);
    recipient->diagnostic = draft_text(draft, text, draft->limits->diagnostic_octets);
    recipient->recipient = draft_text(draft, recipient->recipient, draft->limits->address_octets);
    if (reader->roles & 1u << PROSE_FINAL)
        recipient->action = REPORT_ACTION_FAILED;
    else if (reader->roles & 1u << PROSE_DELAY)
        recipient->action = REPORT_ACTION_DELAYED;
    else if (reader->roles & 1u << PROSE_SUCCESS && !(reader->roles & 1u << PROSE_FAIL))
        recipient->action = REPORT_ACTION_DELIVERED;
}

/*
 * The fields of a delivery status, written into the prose (RFC 3464 section 2.3): the recipients
 * they name.
 */
static size_t read_fields(struct prose_reader *reader)
{
    static const struct dsnd_str first[] = {
        DSND_STR_INIT("Reporting-MTA:"), DSND_STR_INIT("Action:"),
        DSND_STR_INIT("Final-Recipient:"), DSND_STR_INIT("Original-Recipient:"),
        DSND_STR_INIT("Original-Envelope-Id:")};
    struct dsnd_str rest = reader->prose;

    if (dsnd_str_ifind(rest, DSND_STR("\nFinal-Recipient:")) == SIZE_MAX)
        return 0;
    while (rest.len) {
        struct dsnd_str before = rest;
        struct dsnd_str line = dsnd_str_cut(&rest, '\n');

        for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
            if (dsnd_str_istarts(line, first[i]))
                return dsn_read(reader->draft, before);
    }
    return 0;
}

/* Read one part; false where it is no report. */
static bool read_part(struct prose_reader *reader, const struct prose_envelope *envelope,
                      struct dsnd_str copy, bool is_last)
{
    struct report *report = reader->draft->report;
    size_t added;

    if (!prose_envelope_is_report(envelope, reader))
        return false;
    if (read_fields(reader))
        return true;
    added = prose_reader_run(reader);
    if (!added) {
        reader->is_loose = true;
        added = prose_reader_run(reader);
    }
    if (!added && reader->own.len) {
        /* Who tests his own server writes to himself. */
        reader->own = DSND_STR_ABSENT;
        added = prose_reader_run(reader);
    }
    add_failed(reader, envelope->failed);
    if (!added && report->recipient_count == reader->first) {
        if (!is_last || !prose_envelope_says_failure(envelope, reader))
            return false;
        add_unnamed(reader, envelope, copy);
    }
    for (size_t i = reader->first; i < report->recipient_count; i++)
        finish(reader, &report->recipients[i]);
    return true;
}

/* The parts of prose before the returned message; their number. */
static size_t list_parts(const struct mime_message *mime, const struct mime_part **parts)
{
    size_t count = 0;

    for (size_t i = 0; i < mime->part_count && count < PARTS_MAX; i++) {
        const struct mime_part *part = &mime->parts[i];

        if (part->role == MIME_ROLE_RETURNED)
            break;
        if ((part->role == MIME_ROLE_TEXT || part->role == MIME_ROLE_HTML) &&
            dsnd_str_trim(part->text).len)
            parts[count++] = part;
    }
    return count;
}

bool prose_read(struct draft *draft, const struct mime_message *mime)
{
    const struct prose_envelope envelope = prose_envelope_read(draft, mime);
    const struct mime_part *parts[PARTS_MAX];
    size_t count = list_parts(mime, parts);

    /* First a part that names somebody; then one that at least says that delivery failed. */
    for (size_t i = 0; i < 2 * count && !draft->err; i++) {
        const struct mime_part *part = parts[i < count ? i : i - count];
        struct prose_text text =
            prose_text_of(draft, part, envelope.is_subject && !envelope.is_sender);
        struct prose_reader reader;

        prose_reader_init(&reader, draft, text.prose, envelope.own);
        if (!read_part(&reader, &envelope, text.copy, i >= count))
            continue;
        draft->report->kind = REPORT_KIND_BOUNCE_TEXT;
        draft->report->is_by_anybody =
            !envelope.is_sender && !envelope.is_null && !envelope.failed.len;
        if (draft->report->is_by_anybody)
            draft_note(draft, "no mailer in its headers: anybody may have written it");
        draft->prose = text.prose;
        draft->copy = text.copy;
        return true;
    }
    return false;
}
