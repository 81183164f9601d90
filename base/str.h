/*
 * Borrowed views of octets. A view never owns; it may hold NUL; `ptr == NULL` means absent, which
 * is not the same as empty. Pure functions, any thread.
 */
#ifndef DSND_BASE_STR_H
#define DSND_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct dsnd_str {
    const char *ptr;
    size_t len;
};

#define DSND_STR_ABSENT ((struct dsnd_str){NULL, 0})
/* A view of a string literal. */
#define DSND_STR(literal) ((struct dsnd_str){"" literal, sizeof(literal) - 1})
/* The same as a constant initializer. */
#define DSND_STR_INIT(literal)          \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }
/* Arguments for a printf "%.*s". */
#define DSND_STR_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

struct dsnd_str dsnd_str_of(const char *c_string); /* NULL gives absent */
struct dsnd_str dsnd_str_make(const char *ptr, size_t len);
static inline bool dsnd_str_present(struct dsnd_str s)
{
    return s.ptr != NULL;
}

/* Equality octet by octet, and with ASCII letters folded. Absent equals only absent. */
bool dsnd_str_eq(struct dsnd_str a, struct dsnd_str b);
bool dsnd_str_ieq(struct dsnd_str a, struct dsnd_str b);
/* Order by octets, the shorter first when one begins the other; absent sorts as empty. */
int dsnd_str_cmp(struct dsnd_str a, struct dsnd_str b);

bool dsnd_str_starts(struct dsnd_str s, struct dsnd_str prefix);
bool dsnd_str_istarts(struct dsnd_str s, struct dsnd_str prefix);
bool dsnd_str_iends(struct dsnd_str s, struct dsnd_str suffix);

/* Offset of the first match, or `SIZE_MAX` when there is none. `ifind` folds ASCII letters. */
size_t dsnd_str_chr(struct dsnd_str s, char c);
size_t dsnd_str_rchr(struct dsnd_str s, char c);
size_t dsnd_str_find(struct dsnd_str s, struct dsnd_str needle);
size_t dsnd_str_ifind(struct dsnd_str s, struct dsnd_str needle);

/* Octets [from, to) with both ends clipped to the view. */
struct dsnd_str dsnd_str_slice(struct dsnd_str s, size_t from, size_t to);
/* Without SP, HTAB, CR and LF at either end. */
struct dsnd_str dsnd_str_trim(struct dsnd_str s);
/*
 * Cut `s` at the first `sep`: the part before it is returned, `*s` becomes the part after it.
 * Without `sep` all of it is returned and `*s` becomes absent.
 */
struct dsnd_str dsnd_str_cut(struct dsnd_str *s, char sep);
/* The next line of `*s` without its CR LF, LF or CR; `*s` moves past it; absent at the end. */
struct dsnd_str dsnd_str_line(struct dsnd_str *s);

/*
 * Whole decimal number 0..max with no sign or space.
 * DSND_ERR_SYNTAX: empty or another octet; DSND_ERR_LIMIT: larger than `max`.
 */
DSND_MUST_CHECK
enum dsnd_err dsnd_str_to_u64(struct dsnd_str s, uint64_t max, uint64_t *ret_value);

/* NUL-terminated copy into `dst` of `size` octets. DSND_ERR_LIMIT (dst is "") when it does not fit.
 */
DSND_MUST_CHECK
enum dsnd_err dsnd_str_copy(struct dsnd_str s, char *dst, size_t size);

static inline char dsnd_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}
static inline bool dsnd_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool dsnd_is_alpha(char c)
{
    return dsnd_lower(c) >= 'a' && dsnd_lower(c) <= 'z';
}
static inline bool dsnd_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

#endif
