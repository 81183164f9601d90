#include "base/str.h"

#include <string.h>

/* Octets searched at once for a line's end; most lines are shorter. */
enum { LINE_WINDOW = 256 };

struct dsnd_str dsnd_str_of(const char *c_string)
{
    return (struct dsnd_str){c_string, c_string ? strlen(c_string) : 0};
}

struct dsnd_str dsnd_str_make(const char *ptr, size_t len)
{
    return (struct dsnd_str){ptr, len};
}

bool dsnd_str_eq(struct dsnd_str a, struct dsnd_str b)
{
    if (!a.ptr || !b.ptr)
        return a.ptr == b.ptr;
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static bool same_folded(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (dsnd_lower(a[i]) != dsnd_lower(b[i]))
            return false;
    return true;
}

bool dsnd_str_ieq(struct dsnd_str a, struct dsnd_str b)
{
    if (!a.ptr || !b.ptr)
        return a.ptr == b.ptr;
    return a.len == b.len && same_folded(a.ptr, b.ptr, a.len);
}

int dsnd_str_cmp(struct dsnd_str a, struct dsnd_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

    if (order)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool dsnd_str_starts(struct dsnd_str s, struct dsnd_str prefix)
{
    return s.len >= prefix.len && (!prefix.len || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool dsnd_str_istarts(struct dsnd_str s, struct dsnd_str prefix)
{
    return s.len >= prefix.len && same_folded(s.ptr, prefix.ptr, prefix.len);
}

bool dsnd_str_iends(struct dsnd_str s, struct dsnd_str suffix)
{
    return s.len >= suffix.len && same_folded(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len);
}

size_t dsnd_str_chr(struct dsnd_str s, char c)
{
    const char *hit = s.len ? memchr(s.ptr, c, s.len) : NULL;

    return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

size_t dsnd_str_rchr(struct dsnd_str s, char c)
{
    const char *hit = s.len ? memrchr(s.ptr, c, s.len) : NULL;

    return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

size_t dsnd_str_find(struct dsnd_str s, struct dsnd_str needle)
{
    const char *hit;

    if (!s.ptr)
        return SIZE_MAX;
    hit = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

size_t dsnd_str_ifind(struct dsnd_str s, struct dsnd_str needle)
{
    if (needle.len == 0)
        return s.ptr ? 0 : SIZE_MAX;
    for (size_t i = 0; i + needle.len <= s.len; i++)
        if (dsnd_lower(s.ptr[i]) == dsnd_lower(needle.ptr[0]) &&
            same_folded(s.ptr + i, needle.ptr, needle.len))
            return i;
    return SIZE_MAX;
}

struct dsnd_str dsnd_str_slice(struct dsnd_str s, size_t from, size_t to)
{
    if (!s.ptr)
        return s;
    if (to > s.len)
        to = s.len;
    if (from > to)
        from = to;
    return (struct dsnd_str){s.ptr + from, to - from};
}

struct dsnd_str dsnd_str_trim(struct dsnd_str s)
{
    while (s.len && dsnd_is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && dsnd_is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

struct dsnd_str dsnd_str_cut(struct dsnd_str *s, char sep)
{
    struct dsnd_str whole = *s;
    size_t at = dsnd_str_chr(whole, sep);

    if (at == SIZE_MAX) {
        *s = DSND_STR_ABSENT;
        return whole;
    }
    *s = dsnd_str_slice(whole, at + 1, whole.len);
    return dsnd_str_slice(whole, 0, at);
}

/* The first CR or LF, or the end. In windows: a file of CR alone must not be searched for LF. */
static size_t line_length(struct dsnd_str s)
{
    for (size_t at = 0; at < s.len; at += LINE_WINDOW) {
        size_t len = s.len - at < LINE_WINDOW ? s.len - at : LINE_WINDOW;
        const char *lf = memchr(s.ptr + at, '\n', len);
        const char *cr;

        if (lf)
            len = (size_t)(lf - s.ptr) - at;
        cr = memchr(s.ptr + at, '\r', len);
        if (cr)
            return (size_t)(cr - s.ptr);
        if (lf)
            return at + len;
    }
    return s.len;
}

struct dsnd_str dsnd_str_line(struct dsnd_str *s)
{
    struct dsnd_str line = *s;
    size_t end = line_length(*s);
    size_t next = end;

    if (s->len == 0)
        return DSND_STR_ABSENT;
    if (next < s->len && s->ptr[next] == '\r')
        next++;
    if (next < s->len && s->ptr[next] == '\n')
        next++;
    line.len = end;
    *s = dsnd_str_slice(*s, next, s->len);
    return line;
}

enum dsnd_err dsnd_str_to_u64(struct dsnd_str s, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (s.len == 0)
        return DSND_ERR_SYNTAX;
    for (size_t i = 0; i < s.len; i++)
        if (!dsnd_is_digit(s.ptr[i]))
            return DSND_ERR_SYNTAX;
    for (size_t i = 0; i < s.len; i++) {
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');

        if (value > (UINT64_MAX - digit) / 10)
            return DSND_ERR_LIMIT;
        value = value * 10 + digit;
    }
    if (value > max)
        return DSND_ERR_LIMIT;
    *ret_value = value;
    return DSND_OK;
}

enum dsnd_err dsnd_str_copy(struct dsnd_str s, char *dst, size_t size)
{
    if (size == 0)
        return DSND_ERR_LIMIT;
    dst[0] = '\0';
    if (s.len >= size)
        return DSND_ERR_LIMIT;
    if (s.len)
        memcpy(dst, s.ptr, s.len);
    dst[s.len] = '\0';
    return DSND_OK;
}
