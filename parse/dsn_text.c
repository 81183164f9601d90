#include "parse/dsn_text.h"

#include "parse/dsn.h"

static const struct dsnd_str starts[] = {
    DSND_STR_INIT("Reporting-MTA:"),   DSND_STR_INIT("Original-Envelope-Id:"),
    DSND_STR_INIT("Final-Recipient:"), DSND_STR_INIT("Original-Recipient:"),
    DSND_STR_INIT("Action:"),
};

/* How a returned message, or the part that holds it, begins. */
static const struct dsnd_str ends[] = {
    DSND_STR_INIT("Return-Path:"),
    DSND_STR_INIT("Received:"),
    DSND_STR_INIT("Content-Type: message/rfc822"),
    DSND_STR_INIT("Content-Type: text/rfc822"),
    DSND_STR_INIT("--- Original message"),
    DSND_STR_INIT("----- Original message"),
};

static const struct dsnd_str systems[] = {
    DSND_STR_INIT("mailer-daemon@"),
    DSND_STR_INIT("postmaster@"),
    DSND_STR_INIT("mail-daemon@"),
};

static bool begins_with_one(struct dsnd_str line, const struct dsnd_str *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (dsnd_str_istarts(line, table[i]))
            return true;
    return false;
}

static bool is_from_system(const struct draft *draft, const struct mime_message *mime)
{
    struct dsnd_str path = mime_header(mime->headers, mime->header_count, DSND_STR("Return-Path"));

    return dsnd_str_eq(path, DSND_STR("<>")) ||
           begins_with_one(draft->report->from, systems, sizeof(systems) / sizeof(*systems));
}

/* The lines of `text` that are fields of a status; absent where recipient or action lack. */
static struct dsnd_str status_of(struct dsnd_str text)
{
    struct dsnd_str rest = text;
    size_t first = SIZE_MAX;
    size_t last = text.len;
    bool has_recipient = false;
    bool has_action = false;

    while (rest.len) {
        size_t at = (size_t)(rest.ptr - text.ptr);
        struct dsnd_str line = dsnd_str_line(&rest);

        if (first == SIZE_MAX && begins_with_one(line, starts, sizeof(starts) / sizeof(*starts)))
            first = at;
        has_recipient = has_recipient || dsnd_str_istarts(line, DSND_STR("Final-Recipient:"));
        has_action = has_action || dsnd_str_istarts(line, DSND_STR("Action:"));
        if (begins_with_one(line, ends, sizeof(ends) / sizeof(*ends))) {
            last = at;
            break;
        }
    }
    return has_recipient && has_action ? dsnd_str_slice(text, first, last) : DSND_STR_ABSENT;
}

size_t dsn_text_read(struct draft *draft, const struct mime_message *mime)
{
    if (!is_from_system(draft, mime))
        return 0;
    for (size_t i = 0; i < mime->part_count; i++) {
        const struct mime_part *part = &mime->parts[i];
        struct dsnd_str status;

        if (part->role == MIME_ROLE_RETURNED)
            break;
        status = part->role == MIME_ROLE_TEXT ? status_of(part->text) : DSND_STR_ABSENT;
        if (!status.len)
            continue;
        draft_warn(draft, REPORT_WARNING_STATUS_MISPLACED);
        return dsn_read(draft, status);
    }
    return 0;
}
