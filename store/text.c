#include "store/text.h"

#include <stddef.h>
#include <string.h>

#include "base/utf8.h"

/* The replacement character, U+FFFD. */
static const struct dsnd_str replacement = DSND_STR_INIT("\xEF\xBF\xBD");

/* Octets at the front that can stay as they are: printable ASCII, most often all of them. */
static size_t plain(struct dsnd_str text)
{
    size_t n = 0;

    while (n < text.len && text.ptr[n] >= ' ' && text.ptr[n] <= '~')
        n++;
    return n;
}

/* What stands for the character at the front of `in`; `*taken` of its octets are used up. */
static struct dsnd_str translate(struct dsnd_str in, char escape[5], size_t *taken)
{
    static const char hex[] = "0123456789abcdef";
    uint32_t c = 0;

    *taken = utf8_next(in, &c);
    if (*taken == 0 || c == 0) {
        *taken = 1;
        return replacement;
    }
    if (c >= 0x20 && (c < 0x7f || c > 0x9f))
        return dsnd_str_slice(in, 0, *taken);
    escape[0] = '\\';
    escape[1] = 'x';
    escape[2] = hex[c >> 4];
    escape[3] = hex[c & 15];
    return dsnd_str_make(escape, 4);
}

enum dsnd_err store_text_clean(struct dsnd_arena *arena, struct dsnd_str text, size_t max,
                               struct dsnd_str *ret_text)
{
    size_t same = plain(dsnd_str_slice(text, 0, max));
    size_t worst = text.len < max ? text.len : max;
    char *out;
    size_t len = same;

    if (!dsnd_str_present(text) || same == text.len || same == max) {
        *ret_text = dsnd_str_present(text) ? dsnd_str_slice(text, 0, same) : text;
        return DSND_OK;
    }
    worst = worst > max / 4 ? max : worst * 4; /* an octet becomes four at most */
    out = dsnd_arena_alloc(arena, worst);
    if (!out)
        return DSND_ERR_NOMEM;
    memcpy(out, text.ptr, same);
    for (size_t at = same; at < text.len;) {
        char escape[5];
        size_t taken;
        struct dsnd_str piece = translate(dsnd_str_slice(text, at, text.len), escape, &taken);

        if (piece.len > worst - len)
            break;
        memcpy(out + len, piece.ptr, piece.len);
        len += piece.len;
        at += taken;
    }
    *ret_text = dsnd_str_make(out, len);
    return DSND_OK;
}

/* A text member of a struct, and how long it may be. */
struct member {
    size_t offset;
    size_t max;
};

static enum dsnd_err clean_members(struct dsnd_arena *arena, const struct member *members,
                                   size_t count, void *object)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < count && !err; i++) {
        char *at = (char *)object + members[i].offset;
        struct dsnd_str text;

        memcpy(&text, at, sizeof(text));
        err = store_text_clean(arena, text, members[i].max, &text);
        memcpy(at, &text, sizeof(text));
    }
    return err;
}

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define REPORT(name) offsetof(struct report, name)
#define RECIPIENT(name) offsetof(struct report_recipient, name)

static enum dsnd_err clean_recipient(struct dsnd_arena *arena, struct report_recipient *recipient)
{
    static const struct member members[] = {
        {RECIPIENT(recipient), STORE_TEXT_ADDRESS_MAX},
        {RECIPIENT(final_recipient), STORE_TEXT_ADDRESS_MAX},
        {RECIPIENT(original_recipient), STORE_TEXT_ADDRESS_MAX},
        {RECIPIENT(remote_mta), STORE_TEXT_FIELD_MAX},
        {RECIPIENT(diagnostic), STORE_TEXT_DIAGNOSTIC_MAX},
        {RECIPIENT(will_retry_until), STORE_TEXT_FIELD_MAX},
        {RECIPIENT(provider), STORE_TEXT_NAME_MAX},
        {RECIPIENT(rule), STORE_TEXT_NAME_MAX},
        {RECIPIENT(matched), STORE_TEXT_FIELD_MAX},
        {RECIPIENT(blocklist), STORE_TEXT_NAME_MAX},
    };

    return clean_members(arena, members, COUNT(members), recipient);
}

static enum dsnd_err clean_hints(struct dsnd_arena *arena, struct report_returned *returned)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < returned->hint_count && !err; i++)
        err = store_text_clean(arena, returned->hints[i].value, STORE_TEXT_FIELD_MAX,
                               &returned->hints[i].value);
    return err;
}

enum dsnd_err store_report_clean(struct dsnd_arena *arena, const struct report *report,
                                 struct report *ret_report)
{
    static const struct member members[] = {
        {REPORT(reporting_mta), STORE_TEXT_FIELD_MAX},
        {REPORT(arrival_date), STORE_TEXT_FIELD_MAX},
        {REPORT(envelope_id), STORE_TEXT_FIELD_MAX},
        {REPORT(message_id), STORE_TEXT_FIELD_MAX},
        {REPORT(subject), STORE_TEXT_FIELD_MAX},
        {REPORT(from), STORE_TEXT_ADDRESS_MAX},
        {REPORT(returned.message_id), STORE_TEXT_FIELD_MAX},
        {REPORT(returned.to), STORE_TEXT_ADDRESS_MAX},
        {REPORT(returned.return_path), STORE_TEXT_ADDRESS_MAX},
    };
    size_t count = report->recipient_count;
    struct report clean = *report;
    enum dsnd_err err = clean_members(arena, members, COUNT(members), &clean);

    if (!err)
        err = clean_hints(arena, &clean.returned);
    clean.recipients = dsnd_arena_array(arena, count ? count : 1, sizeof(*clean.recipients));
    if (!err && !clean.recipients)
        err = DSND_ERR_NOMEM;
    for (size_t i = 0; i < count && !err; i++) {
        clean.recipients[i] = report->recipients[i];
        err = clean_recipient(arena, &clean.recipients[i]);
    }
    if (!err)
        *ret_report = clean;
    return err;
}

enum dsnd_err store_text_lines(struct dsnd_arena *arena, const struct dsnd_str *texts, size_t count,
                               struct dsnd_str *ret_text)
{
    size_t len = 0;
    char *out;
    char *at;

    for (size_t i = 0; i < count; i++)
        len += texts[i].len + 1;
    out = dsnd_arena_alloc(arena, len + 1);
    if (!out)
        return DSND_ERR_NOMEM;
    at = out;
    for (size_t i = 0; i < count; i++) {
        if (i)
            *at++ = '\n';
        if (texts[i].len)
            memcpy(at, texts[i].ptr, texts[i].len);
        at += texts[i].len;
    }
    *ret_text = dsnd_str_make(out, (size_t)(at - out));
    return DSND_OK;
}
