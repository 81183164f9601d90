#include "parse/address.h"

#include "base/utf8.h"
#include "parse/fields.h"
#include "parse/xtext.h"

/* RFC 5322 atext, and what RFC 6532 adds. */
static bool is_atext(char c)
{
    static const char specials[] = "!#$%&'*+-/=?^_`{|}~";

    if (dsnd_is_alpha(c) || dsnd_is_digit(c) || (unsigned char)c >= 0x80)
        return true;
    for (size_t i = 0; i + 1 < sizeof(specials); i++)
        if (specials[i] == c)
            return true;
    return false;
}

static bool is_local(char c)
{
    return is_atext(c) || c == '.';
}

static bool is_domain(char c)
{
    return dsnd_is_alpha(c) || dsnd_is_digit(c) || c == '-' || c == '.' || c == '_' ||
           (unsigned char)c >= 0x80;
}

/*
 * Octets of a mark at the front that no address holds, though RFC 6532 would allow it: quotation
 * marks, dashes, and the punctuation of East Asian scripts, which stand right beside an address.
 */
static size_t mark_length(struct dsnd_str s)
{
    static const uint32_t marks[][2] = {{0xa0, 0xa0},     {0xab, 0xab},     {0xbb, 0xbb},
                                        {0x2010, 0x205f}, {0x3000, 0x303f}, {0xff00, 0xff0f},
                                        {0xff1a, 0xff20}, {0xff3b, 0xff40}, {0xff5b, 0xff65}};
    uint32_t c = 0;
    size_t len = s.len && (unsigned char)s.ptr[0] >= 0x80 ? utf8_next(s, &c) : 0;

    for (size_t i = 0; len && i < sizeof(marks) / sizeof(*marks); i++)
        if (c >= marks[i][0] && c <= marks[i][1])
            return len;
    return 0;
}

/* Does such a mark end before `end`? */
static bool ends_with_mark(struct dsnd_str text, size_t floor, size_t end)
{
    size_t at = end;

    if (end == floor || (unsigned char)text.ptr[end - 1] < 0x80)
        return false;
    do
        at--;
    while (at > floor && end - at < 4 && ((unsigned char)text.ptr[at] & 0xc0) == 0x80);
    return mark_length(dsnd_str_slice(text, at, end)) == end - at;
}

/* Octets of a quoted string at the front, its quotes included; 0 where there is none. */
static size_t quoted_length(struct dsnd_str s)
{
    if (s.len == 0 || s.ptr[0] != '"')
        return 0;
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            return i + 1;
        else if ((unsigned char)s.ptr[i] < 0x20)
            return 0;
    }
    return 0;
}

static size_t local_length(struct dsnd_str s)
{
    size_t len = quoted_length(s);

    if (len)
        return len;
    while (len < s.len && is_local(s.ptr[len]))
        len++;
    return len;
}

static size_t domain_length(struct dsnd_str s)
{
    size_t len = 0;

    if (s.len && s.ptr[0] == '[') {
        size_t end = dsnd_str_chr(dsnd_str_slice(s, 0, 64), ']');

        return end == SIZE_MAX ? 0 : end + 1;
    }
    while (len < s.len && is_domain(s.ptr[len]) && !mark_length(dsnd_str_slice(s, len, s.len)))
        len++;
    while (len && (s.ptr[len - 1] == '.' || s.ptr[len - 1] == '-'))
        len--;
    return len && s.ptr[0] != '.' && s.ptr[0] != '-' ? len : 0;
}

bool address_is_mail(struct dsnd_str s)
{
    size_t local = local_length(s);
    struct dsnd_str domain;

    if (local == 0 || local >= s.len || s.ptr[local] != '@')
        return false;
    domain = dsnd_str_slice(s, local + 1, s.len);
    return domain.len && domain_length(domain) == domain.len;
}

/* "@one,@two:user@three" to "user@three" (RFC 5321 appendix C). */
static struct dsnd_str without_route(struct dsnd_str s)
{
    size_t colon = s.len && s.ptr[0] == '@' ? dsnd_str_chr(s, ':') : SIZE_MAX;

    return colon == SIZE_MAX ? s : dsnd_str_slice(s, colon + 1, s.len);
}

static struct dsnd_str without_quotes(struct dsnd_str s)
{
    bool paired = s.len >= 2 && s.ptr[0] == s.ptr[s.len - 1];

    if (paired && (s.ptr[0] == '\'' || (s.ptr[0] == '"' && quoted_length(s) == s.len)))
        return dsnd_str_trim(dsnd_str_slice(s, 1, s.len - 1));
    return s;
}

/* What the last pair of angle brackets holds: a display name may hold brackets in quotes. */
static struct dsnd_str without_brackets(struct dsnd_str s)
{
    size_t open = dsnd_str_rchr(s, '<');
    size_t close;

    if (open == SIZE_MAX)
        return s;
    s = dsnd_str_slice(s, open + 1, s.len);
    close = dsnd_str_chr(s, '>');
    return dsnd_str_trim(dsnd_str_slice(s, 0, close));
}

/* "user@host (the name)" to "user@host". */
static struct dsnd_str without_comment(struct dsnd_str s)
{
    size_t open;

    s = fields_skip_comment(s);
    if (s.len == 0 || s.ptr[s.len - 1] != ')')
        return s;
    open = dsnd_str_chr(s, '(');
    return open == SIZE_MAX || open == 0 ? s : dsnd_str_trim(dsnd_str_slice(s, 0, open));
}

struct dsnd_str address_bare(struct dsnd_str s)
{
    s = without_quotes(without_brackets(without_comment(dsnd_str_trim(s))));
    s = without_route(s);
    if (dsnd_str_istarts(s, DSND_STR("mailto:")))
        s = dsnd_str_slice(s, 7, s.len);
    while (s.len && (s.ptr[s.len - 1] == '.' || s.ptr[s.len - 1] == ';' || s.ptr[s.len - 1] == ','))
        s.len--;
    return s;
}

/* Only '+' and '=' must be written as xtext in a printable address; another digit pair is a tag. */
static bool must_be_xtext(struct dsnd_str s)
{
    bool any = false;

    if (!address_is_mail(s))
        return true;
    for (size_t i = 0; i + 2 < s.len; i++) {
        struct dsnd_str pair = dsnd_str_slice(s, i + 1, i + 3);

        if (s.ptr[i] != '+')
            continue;
        if (!dsnd_str_eq(pair, DSND_STR("2B")) && !dsnd_str_eq(pair, DSND_STR("3D")))
            return false;
        any = true;
    }
    return any;
}

enum dsnd_err address_from_field(struct dsnd_arena *arena, struct dsnd_str value, bool is_original,
                                 struct dsnd_str *ret_address)
{
    size_t semicolon = dsnd_str_chr(value, ';');
    struct dsnd_str text = value;
    enum dsnd_err err = DSND_OK;

    /* A type holds no '@'; some senders write an address list or no type at all. */
    if (semicolon != SIZE_MAX && dsnd_str_chr(dsnd_str_slice(value, 0, semicolon), '@') == SIZE_MAX)
        text = dsnd_str_slice(value, semicolon + 1, value.len);
    text = address_bare(text);
    err = xtext_decode_utf8(arena, text, &text);
    if (!err && is_original && must_be_xtext(text))
        err = xtext_decode(arena, text, &text);
    if (!err)
        *ret_address = address_bare(text);
    return err;
}

/* The start of the local part that ends before `end`, not before `floor`. */
static size_t local_start(struct dsnd_str text, size_t floor, size_t end)
{
    size_t start = end;

    if (end > floor + 1 && text.ptr[end - 1] == '"') {
        for (start = end - 1; start > floor && text.ptr[start - 1] != '\n'; start--)
            if (text.ptr[start - 1] == '"')
                return start - 1;
        return end;
    }
    while (start > floor && is_local(text.ptr[start - 1]) && !ends_with_mark(text, floor, start))
        start--;
    while (start < end && (text.ptr[start] == '.' || text.ptr[start] == '\'' ||
                           text.ptr[start] == '`' || text.ptr[start] == '*'))
        start++;
    return start;
}

struct dsnd_str address_next(struct dsnd_str text, size_t *at)
{
    size_t floor = *at;

    for (;;) {
        struct dsnd_str rest = dsnd_str_slice(text, floor, text.len);
        size_t sign = dsnd_str_chr(rest, '@');
        struct dsnd_str domain;
        size_t start;
        size_t len;

        if (sign == SIZE_MAX)
            break;
        sign += floor;
        start = local_start(text, *at, sign);
        domain = dsnd_str_slice(text, sign + 1, text.len);
        len = domain_length(domain);
        floor = sign + 1;
        if (start == sign || len == 0)
            continue;
        if (dsnd_str_chr(dsnd_str_slice(domain, 0, len), '.') == SIZE_MAX && domain.ptr[0] != '[')
            continue;
        *at = sign + 1 + len;
        return dsnd_str_slice(text, start, *at);
    }
    *at = text.len;
    return DSND_STR_ABSENT;
}
