/*
 * Octets as text: base64url and hexadecimal. Pure functions, any thread.
 */
#ifndef DSND_API_ENCODE_H
#define DSND_API_ENCODE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* `octets` in lower-case hexadecimal with a NUL: dst holds 2 * len + 1. */
void encode_hex(const unsigned char *octets, size_t len, char *dst);
/* RFC 4648 base64url without padding, appended. Errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err encode_base64url(struct dsnd_str octets, struct dsnd_buf *out);
/* The reverse. DSND_ERR_SYNTAX: not canonical base64url; else errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err encode_base64url_decode(struct dsnd_str text, struct dsnd_buf *out);

#endif
