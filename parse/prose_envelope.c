#include "parse/prose_envelope.h"

#include <stdint.h>

#include "parse/address.h"
#include "parse/auto_reply.h"
#include "parse/prose_reply.h"
#include "parse/status_code.h"

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
static const struct dsnd_str answers[] = {
    DSND_STR_INIT("Re"),   DSND_STR_INIT("R"),    DSND_STR_INIT("AW"),   DSND_STR_INIT("SV"),
    DSND_STR_INIT("VS"),   DSND_STR_INIT("Vá"),   DSND_STR_INIT("Antw"), DSND_STR_INIT("Antwort"),
    DSND_STR_INIT("RIF"),  DSND_STR_INIT("Odp"),  DSND_STR_INIT("Ynt"),  DSND_STR_INIT("RES"),
    DSND_STR_INIT("Rép"),  DSND_STR_INIT("ΑΠ"),   DSND_STR_INIT("Отв"),  DSND_STR_INIT("答复"),
    DSND_STR_INIT("回复"), DSND_STR_INIT("回覆"), DSND_STR_INIT("返信"),
};

/* "Fwd:" and the like; a mailer's own subject may begin so too, since it may repeat another. */
static const struct dsnd_str forwards[] = {
    DSND_STR_INIT("Fwd"),        DSND_STR_INIT("FW"),
    DSND_STR_INIT("WG"),         DSND_STR_INIT("Weitergeleitet"),
    DSND_STR_INIT("TR"),         DSND_STR_INIT("RV"),
    DSND_STR_INIT("I"),          DSND_STR_INIT("ENC"),
    DSND_STR_INIT("VB"),         DSND_STR_INIT("VL"),
    DSND_STR_INIT("Doorst"),     DSND_STR_INIT("PD"),
    DSND_STR_INIT("İLT"),        DSND_STR_INIT("ILT"),
    DSND_STR_INIT("Továbbítás"), DSND_STR_INIT("ΠΡΘ"),
    DSND_STR_INIT("Пересл"),     DSND_STR_INIT("转发"),
    DSND_STR_INIT("轉寄"),       DSND_STR_INIT("転送"),
};

/* Does the subject begin with one of the marks and a colon, also "Re[2]:" or "FW :"? */
static bool is_marked(struct dsnd_str subject, const struct dsnd_str *marks, size_t count)
{
    struct dsnd_str mark = dsnd_str_slice(subject, 0, dsnd_str_chr(subject, ':'));
    size_t wide = dsnd_str_find(subject, DSND_STR("："));

    if (wide < mark.len)
        mark.len = wide;
    if (mark.len == subject.len)
        return false;
    mark = dsnd_str_trim(dsnd_str_slice(mark, 0, dsnd_str_chr(mark, '[')));
    for (size_t i = 0; i < count; i++)
        if (dsnd_str_ieq(mark, marks[i]))
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

/* Of a host's mail, but a person may write there, and a shop may send its notices so. */
static bool is_role(struct dsnd_str from)
{
    return dsnd_str_istarts(from, DSND_STR("postmaster@"));
}

/* Who forwards a report within his own domain, or to himself elsewhere, hands it in. */
static bool is_among_own(struct dsnd_str from, struct dsnd_str to)
{
    size_t sign = dsnd_str_rchr(from, '@');
    size_t other = dsnd_str_rchr(to, '@');

    if (sign == SIZE_MAX || other == SIZE_MAX)
        return false;
    return dsnd_str_ieq(dsnd_str_slice(from, sign, from.len), dsnd_str_slice(to, other, to.len)) ||
           dsnd_str_ieq(dsnd_str_slice(from, 0, sign), dsnd_str_slice(to, 0, other));
}

struct prose_envelope prose_envelope_read(const struct draft *draft,
                                          const struct mime_message *mime)
{
    struct dsnd_str from = mime_header(mime->headers, mime->header_count, DSND_STR("From"));
    struct dsnd_str to = mime_header(mime->headers, mime->header_count, DSND_STR("To"));
    struct prose_envelope envelope = {.is_subject =
                                          has_phrase(draft->report->subject, PROSE_SUBJECT)};
    bool is_forward;
    size_t at = 0;

    envelope.is_sender = is_daemon(draft, from);
    envelope.is_role = is_role(draft->report->from);
    envelope.is_null = dsnd_str_eq(
        mime_header(mime->headers, mime->header_count, DSND_STR("Return-Path")), DSND_STR("<>"));
    envelope.failed =
        mime_header(mime->headers, mime->header_count, DSND_STR("X-Failed-Recipients"));
    envelope.own = address_next(to, &at);
    envelope.is_answer =
        is_marked(draft->report->subject, answers, sizeof(answers) / sizeof(*answers));
    is_forward = !envelope.is_null && !is_among_own(draft->report->from, envelope.own) &&
                 is_marked(draft->report->subject, forwards, sizeof(forwards) / sizeof(*forwards));
    envelope.is_personal = envelope.is_answer || is_forward || is_of_list(mime) ||
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

/* A line that holds "<ann@there.test>" and nothing else. */
static bool names_on_a_line(struct dsnd_str prose)
{
    while (prose.len) {
        struct dsnd_str line = dsnd_str_trim(dsnd_str_cut(&prose, '\n'));

        if (line.len > 2 && line.ptr[0] == '<' && line.ptr[line.len - 1] == '>' &&
            address_is_mail(dsnd_str_slice(line, 1, line.len - 1)))
            return true;
    }
    return false;
}

/* What is enough from who may as well be a person: "Delivery failed", of a parcel, is not. */
static bool says_more(const struct prose_envelope *self, const struct prose_reader *reader)
{
    if (!self->is_subject && !says_failure(reader))
        return repeats_reply(reader);
    return status_reply_find(reader->prose).code || repeats_reply(reader) ||
           names_on_a_line(reader->prose);
}

bool prose_envelope_is_report(const struct prose_envelope *self, const struct prose_reader *reader)
{
    if (self->failed.len)
        return true;
    if (!self->is_sender)
        return !self->is_personal &&
               (reader->is_strong || (self->is_subject && says_much(self, reader)));
    if (reader->is_strong || has_structure(reader))
        return true;
    if (self->is_role && !self->is_null)
        return !self->is_answer && says_more(self, reader);
    return self->is_subject ||
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
