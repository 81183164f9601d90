/*
 * UTF-8 as RFC 3629 has it: no surrogates, nothing overlong, nothing above U+10FFFF. Pure, any
 * thread.
 */
#ifndef DSND_BASE_UTF8_H
#define DSND_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * Octets of the character at the front of `s` (1 to 4), or 0 where none is valid there or `s` is
 * empty. The code point is stored in `*ret_char` unless that is NULL.
 */
size_t utf8_next(struct dsnd_str s, uint32_t *ret_char);
/* Every octet belongs to a valid character. */
bool utf8_valid(struct dsnd_str s);
/* The longest front of `s`, at most `max` octets, that does not end inside a character. */
struct dsnd_str utf8_cut(struct dsnd_str s, size_t max);

#endif
