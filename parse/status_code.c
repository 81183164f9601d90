#include "parse/status_code.h"

/* Up to three digits at `*at`; false where there are none or more. */
static bool read_number(struct dsnd_str s, size_t *at, uint16_t *ret_number)
{
    size_t start = *at;
    unsigned value = 0;

    while (*at < s.len && dsnd_is_digit(s.ptr[*at]) && *at - start < 4)
        value = value * 10 + (unsigned)(s.ptr[(*at)++] - '0');
    if (*at == start || *at - start > 3)
        return false;
    *ret_number = (uint16_t)value;
    return true;
}

static bool is_word(char c)
{
    return dsnd_is_alpha(c) || dsnd_is_digit(c) || c == '_';
}

/*
 * A whole code at `at`: not a part of a longer number, address or version ("4.1.1.2"). Returns its
 * length, or 0.
 */
static size_t code_at(struct dsnd_str s, size_t at, struct report_status *ret_status)
{
    struct report_status status;
    size_t start = at;

    if (s.ptr[at] != '2' && s.ptr[at] != '4' && s.ptr[at] != '5')
        return 0;
    if (at && (is_word(s.ptr[at - 1]) || s.ptr[at - 1] == '.'))
        return 0;
    status.klass = (uint16_t)(s.ptr[at++] - '0');
    if (at >= s.len || s.ptr[at++] != '.' || !read_number(s, &at, &status.subject))
        return 0;
    if (at >= s.len || s.ptr[at++] != '.' || !read_number(s, &at, &status.detail))
        return 0;
    if (at < s.len && is_word(s.ptr[at]))
        return 0;
    if (at + 1 < s.len && s.ptr[at] == '.' && dsnd_is_digit(s.ptr[at + 1]))
        return 0;
    *ret_status = status;
    return at - start;
}

bool status_code_read(struct dsnd_str text, struct report_status *ret_status)
{
    for (size_t i = 0; i < text.len; i++)
        if (code_at(text, i, ret_status))
            return true;
    return false;
}

/* Three digits 400..599 at `at` that are no part of a longer number. */
static uint16_t reply_at(struct dsnd_str s, size_t at)
{
    if (s.len - at < 3 || (s.ptr[at] != '4' && s.ptr[at] != '5'))
        return 0;
    /* RFC 5321 section 4.2: the second digit is 0 to 5. */
    if (s.ptr[at + 1] < '0' || s.ptr[at + 1] > '5' || !dsnd_is_digit(s.ptr[at + 2]))
        return 0;
    if (at && (is_word(s.ptr[at - 1]) || s.ptr[at - 1] == '.' || s.ptr[at - 1] == '-' ||
               s.ptr[at - 1] == '/' || s.ptr[at - 1] == '@'))
        return 0;
    if (at + 3 < s.len && (is_word(s.ptr[at + 3]) || s.ptr[at + 3] == '.' || s.ptr[at + 3] == '@' ||
                           s.ptr[at + 3] == '/'))
        return 0;
    return (uint16_t)((s.ptr[at] - '0') * 100 + (s.ptr[at + 1] - '0') * 10 + s.ptr[at + 2] - '0');
}

/* The octets of a number in brackets or of a unit are no reply: "[550]", "(500 KB)". */
static bool looks_like_amount(struct dsnd_str s, size_t after)
{
    static const struct dsnd_str units[] = {
        DSND_STR_INIT(" byte"),     DSND_STR_INIT(" octet"), DSND_STR_INIT(" kb"),
        DSND_STR_INIT(" mb"),       DSND_STR_INIT(" hour"),  DSND_STR_INIT(" sec"),
        DSND_STR_INIT(" min"),      DSND_STR_INIT(" day"),   DSND_STR_INIT(" recipients"),
        DSND_STR_INIT(" messages"),
    };
    struct dsnd_str rest = dsnd_str_slice(s, after, s.len);

    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (dsnd_str_istarts(rest, units[i]))
            return true;
    return false;
}

/* The enhanced code that stands right after a reply code: " 5.1.1", "-5.1.1", " #5.1.1", " (#5". */
static bool status_after(struct dsnd_str s, size_t at, struct report_status *ret_status)
{
    size_t end = at + 4 < s.len ? at + 4 : s.len;

    for (; at < end; at++) {
        char c = s.ptr[at];

        if (code_at(s, at, ret_status))
            return true;
        if (c != ' ' && c != '-' && c != '#' && c != '(' && c != '[' && c != ':' && c != '<')
            return false;
    }
    return false;
}

/*
 * The end of a queue's life (x.4.7) may quote the reply that was behind it:
 * "554 4.4.7 Message expired.<421 4.4.2 Connection timed out>".
 */
static struct status_reply quoted_reply(struct dsnd_str text, struct status_reply said)
{
    if (said.status.subject != 4 || said.status.detail != 7)
        return said;
    for (size_t i = 1; i < text.len; i++) {
        struct status_reply quoted = {0};

        if (text.ptr[i - 1] != '<')
            continue;
        quoted.code = reply_at(text, i);
        if (quoted.code && status_after(text, i + 3, &quoted.status))
            return quoted;
    }
    return said;
}

struct status_reply status_reply_find(struct dsnd_str text)
{
    struct status_reply first = {0};
    struct report_status loose = {0};

    for (size_t i = 0; i < text.len; i++) {
        struct report_status status = {0};
        uint16_t code;

        if (text.ptr[i] != '4' && text.ptr[i] != '5')
            continue;
        if (!loose.klass && code_at(text, i, &status)) {
            loose = status;
            continue;
        }
        code = reply_at(text, i);
        if (!code || looks_like_amount(text, i + 3))
            continue;
        if (status_after(text, i + 3, &status))
            return quoted_reply(text, (struct status_reply){code, status});
        if (!first.code)
            first.code = code;
    }
    first.status = loose;
    return first;
}
