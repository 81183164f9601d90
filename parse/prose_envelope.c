#include "parse/prose_envelope.h"

#include <stdint.h>

#include "parse/address.h"
#include "parse/auto_reply.h"
#include "parse/prose_reply.h"

static bool has_phrase(struct dsnd_str text, enum prose_role role)
{
    struct prose_match match;
    size_t at = 0;

    return prose_phrase_next(text, 1u << role, &at, &match);
}

/* Then its To names whom a report was sent to, no recipient. */
static bool returns_report(const struct mime_message *mime)
{
    for (size_t i = 0; i < mime->part_count; i++) {
        const struct mime_part *part = &mime->parts[i];

        if (part->role == MIME_ROLE_RETURNED)
            return has_phrase(mime_header(part->headers, part->header_count, DSND_STR("From")),
                              PROSE_SENDER);
    }
    return false;
}

/* "Re:", "AW:", "SV:" and the like: who answers a report is no program that writes one. */
static bool is_answer(struct dsnd_str subject)
{
    static const struct dsnd_str marks[] = {
        DSND_STR_INIT("Re:"),  DSND_STR_INIT("AW:"),   DSND_STR_INIT("SV:"),
        DSND_STR_INIT("VS:"),  DSND_STR_INIT("Antw:"), DSND_STR_INIT("RIF:"),
        DSND_STR_INIT("Odp:"), DSND_STR_INIT("Ynt:"),  DSND_STR_INIT("答复:"),
    };

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (dsnd_str_istarts(subject, marks[i]))
            return true;
    return false;
}

static bool is_of_list(const struct mime_message *mime)
{
    static const struct dsnd_str names[] = {
        DSND_STR_INIT("List-Id"),
        DSND_STR_INIT("List-Post"),
        DSND_STR_INIT("List-Unsubscribe"),
        DSND_STR_INIT("X-Mailing-List"),
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (mime_header(mime->headers, mime->header_count, names[i]).ptr)
            return true;
    return false;
}

/* By the address: a name such as "Royal Mail Delivery" proves nothing beside another one. */
static bool is_daemon(const struct draft *draft, struct dsnd_str from)
{
    if (from.ptr && dsnd_str_find(from, DSND_STR("<>")) != SIZE_MAX)
        return true;
    return has_phrase(draft->report->from.len ? draft->report->from : from, PROSE_SENDER);
}

struct prose_envelope prose_envelope_read(const struct draft *draft,
                                          const struct mime_message *mime)
{
    struct dsnd_str from = mime_header(mime->headers, mime->header_count, DSND_STR("From"));
    struct dsnd_str to = mime_header(mime->headers, mime->header_count, DSND_STR("To"));
    struct prose_envelope envelope = {.is_subject =
                                          has_phrase(draft->report->subject, PROSE_SUBJECT)};
    size_t at = 0;

    envelope.is_sender = is_daemon(draft, from);
    envelope.is_null = dsnd_str_eq(
        mime_header(mime->headers, mime->header_count, DSND_STR("Return-Path")), DSND_STR("<>"));
    envelope.failed =
        mime_header(mime->headers, mime->header_count, DSND_STR("X-Failed-Recipients"));
    envelope.own = address_next(to, &at);
    envelope.is_answer = is_answer(draft->report->subject);
    envelope.is_personal = envelope.is_answer || is_of_list(mime) ||
                           auto_reply_is_marked(mime, draft->report->subject);
    envelope.returns_report = returns_report(mime);
    return envelope;
}

/* Beyond words of failure, which anybody may use: a list, a transcript, somebody named. */
static bool has_structure(const struct prose_reader *reader)
{
    return reader->roles &
           (1u << PROSE_OPEN | 1u << PROSE_NAME | 1u << PROSE_DELAY | 1u << PROSE_SESSION);
}

static bool says_failure(const struct prose_reader *reader)
{
    return has_structure(reader) || reader->roles & 1u << PROSE_FAIL;
}

/* In whatever language: a program that reports deliveries repeats the reply of a server. */
static bool repeats_reply(const struct prose_reader *reader)
{
    return prose_reply_find(reader->prose).len > 0;
}

/* What is enough beside a subject from whom nothing is known. */
static bool says_much(const struct prose_envelope *self, const struct prose_reader *reader)
{
    return has_structure(reader) || repeats_reply(reader) ||
           (self->is_null && says_failure(reader));
}

bool prose_envelope_is_report(const struct prose_envelope *self, const struct prose_reader *reader)
{
    if (self->failed.len)
        return true;
    if (!self->is_sender)
        return !self->is_personal &&
               (reader->is_strong || (self->is_subject && says_much(self, reader)));
    if (reader->is_strong || self->is_subject)
        return true;
    return has_structure(reader) ||
           (!self->is_answer && (says_failure(reader) || repeats_reply(reader)));
}

bool prose_envelope_says_failure(const struct prose_envelope *self,
                                 const struct prose_reader *reader)
{
    /* "Delivery notification" from anybody, about nobody: of a parcel, perhaps. */
    if (!self->is_sender && !self->is_null && !reader->is_strong && !self->failed.len &&
        !repeats_reply(reader))
        return false;
    return reader->is_strong || self->failed.len ||
           reader->roles & (1u << PROSE_FAIL | 1u << PROSE_OPEN | 1u << PROSE_SESSION) ||
           (self->is_sender && repeats_reply(reader));
}
