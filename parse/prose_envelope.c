#include "parse/prose_envelope.h"

#include <stdint.h>

#include "parse/address.h"

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

struct prose_envelope prose_envelope_read(const struct draft *draft,
                                          const struct mime_message *mime)
{
    struct dsnd_str from = mime_header(mime->headers, mime->header_count, DSND_STR("From"));
    struct dsnd_str to = mime_header(mime->headers, mime->header_count, DSND_STR("To"));
    struct prose_envelope envelope = {.is_subject =
                                          has_phrase(draft->report->subject, PROSE_SUBJECT)};
    size_t at = 0;

    envelope.is_sender = has_phrase(from, PROSE_SENDER) ||
                         (from.ptr && dsnd_str_find(from, DSND_STR("<>")) != SIZE_MAX);
    envelope.failed =
        mime_header(mime->headers, mime->header_count, DSND_STR("X-Failed-Recipients"));
    envelope.own = address_next(to, &at);
    envelope.returns_report = returns_report(mime);
    return envelope;
}

bool prose_envelope_is_report(const struct prose_envelope *self, const struct prose_reader *reader)
{
    unsigned said = reader->roles & (1u << PROSE_OPEN | 1u << PROSE_NAME | 1u << PROSE_FAIL |
                                     1u << PROSE_DELAY | 1u << PROSE_SESSION);

    return reader->is_strong || self->failed.len || (self->is_subject && self->is_sender) ||
           (said && (self->is_subject || self->is_sender));
}

bool prose_envelope_says_failure(const struct prose_envelope *self,
                                 const struct prose_reader *reader)
{
    return reader->is_strong || self->failed.len ||
           reader->roles & (1u << PROSE_FAIL | 1u << PROSE_OPEN | 1u << PROSE_SESSION);
}
