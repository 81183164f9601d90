/*
 * Octets as base64url. Pure functions, any thread.
 */
#ifndef DSND_API_ENCODE_H
#define DSND_API_ENCODE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* RFC 4648 base64url without padding, appended. Errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err encode_base64url(struct dsnd_str octets, struct dsnd_buf *out);
/* The reverse. DSND_ERR_SYNTAX: not canonical base64url; else errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err encode_base64url_decode(struct dsnd_str text, struct dsnd_buf *out);

#endif
