/*
 * Reverse and forward paths (RFC 5321 section 4.1.2, RFC 6531 section 3.3) and the split of what
 * follows them into ESMTP parameters. Pure, any thread.
 */
#ifndef DSND_INGEST_SMTP_PATH_H
#define DSND_INGEST_SMTP_PATH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Octets. RFC 5321 section 4.5.3.1 makes 64, 255 and 256 the least that must be accepted; VERP,
 * SRS and BATV make longer local parts, so we take more.
 */
enum {
    SMTP_PATH_LOCAL_MAX = 256,
    SMTP_PATH_DOMAIN_MAX = 255,
};

struct smtp_path {
    struct dsnd_str address; /* local@domain, source route dropped; empty for <> */
    struct dsnd_str local;   /* as written, with its quotes */
    struct dsnd_str domain;  /* empty for <> and for <Postmaster> */
    bool utf8;               /* holds octets above 127: SMTPUTF8 is needed */
};

/*
 * Cut `keyword` ("FROM:" or "TO:", any case) and a path in angle brackets from the front of `*in`;
 * spaces before the path are tolerated, because many hosts send one. `*in` then holds the
 * parameters, empty or beginning with a space. DSND_ERR_SYNTAX; DSND_ERR_LIMIT: a part is too long.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_path_parse(struct dsnd_str keyword, struct dsnd_str *in,
                              struct smtp_path *ret_path);

/* Octets above 127 in it. */
bool smtp_path_is_8bit(struct dsnd_str s);

/* One esmtp-param; `value` is absent without "=". */
struct smtp_param {
    struct dsnd_str keyword;
    struct dsnd_str value;
};

/*
 * The next parameter from the front of `*in`. DSND_ERR_NOT_FOUND: no more; DSND_ERR_SYNTAX: what
 * stands there is no esmtp-param.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_path_param(struct dsnd_str *in, struct smtp_param *ret_param);

#endif
