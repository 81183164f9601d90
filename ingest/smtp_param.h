/*
 * ESMTP parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8
 * (RFC 6531), RET, ENVID, NOTIFY and ORCPT (RFC 3461). Pure, any thread.
 */
#ifndef DSND_INGEST_SMTP_PARAM_H
#define DSND_INGEST_SMTP_PARAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum smtp_body {
    SMTP_BODY_7BIT,
    SMTP_BODY_8BITMIME,
    SMTP_BODY_BINARYMIME,
};

struct smtp_mail_params {
    uint64_t size; /* declared octets; 0 when not given */
    enum smtp_body body;
    bool smtputf8;
    bool auth;   /* AUTH was given (RFC 4954 section 5); its value is not believed */
    uint8_t ret; /* 0 not given, 1 FULL, 2 HDRS */
    struct dsnd_str envelope_id; /* xtext as given; absent if none */
};

struct smtp_rcpt_params {
    uint8_t notify;                     /* OR of JOURNAL_NOTIFY_*; 0 when not given */
    struct dsnd_str original_recipient; /* "type;xtext" as given; absent if none */
};

/*
 * Read what stands behind a path; views borrow from `in`. DSND_ERR_SYNTAX: a malformed or repeated
 * parameter or a bad value; DSND_ERR_NOT_FOUND: a parameter we do not know (RFC 5321 section
 * 4.1.1.11: 555); DSND_ERR_LIMIT: SIZE does not fit in 64 bits.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_param_mail(struct dsnd_str in, struct smtp_mail_params *ret_params);
DSND_MUST_CHECK
enum dsnd_err smtp_param_rcpt(struct dsnd_str in, struct smtp_rcpt_params *ret_params);

#endif
