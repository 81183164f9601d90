/*
 * Two encodings of addresses: xtext (RFC 3461 section 4) and the escapes of utf-8 addresses (RFC
 * 6533 section 3). Pure functions, any thread.
 */
#ifndef DSND_PARSE_XTEXT_H
#define DSND_PARSE_XTEXT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/*
 * "a+40b" to "a@b". A '+' that no two upper-case hexadecimal digits follow stands for itself, since
 * many senders do not encode. Borrows `s` where there is nothing to decode. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err xtext_decode(struct dsnd_arena *arena, struct dsnd_str s, struct dsnd_str *ret_text);

/* "\x{E9}" to its UTF-8 octets; what is no such escape stands for itself. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err xtext_decode_utf8(struct dsnd_arena *arena, struct dsnd_str s,
                                struct dsnd_str *ret_text);

#endif
