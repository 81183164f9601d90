/*
 * A command line to verb and argument (RFC 5321 section 4.1.1). Pure, any thread.
 */
#ifndef DSND_INGEST_SMTP_COMMAND_H
#define DSND_INGEST_SMTP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum smtp_verb {
    SMTP_VERB_EHLO,
    SMTP_VERB_HELO,
    SMTP_VERB_LHLO, /* RFC 2033 */
    SMTP_VERB_MAIL,
    SMTP_VERB_RCPT,
    SMTP_VERB_DATA,
    SMTP_VERB_BDAT, /* RFC 3030 */
    SMTP_VERB_RSET,
    SMTP_VERB_NOOP,
    SMTP_VERB_QUIT,
    SMTP_VERB_VRFY,
    SMTP_VERB_HELP,
    SMTP_VERB_STARTTLS, /* RFC 3207 */
    SMTP_VERB_AUTH,     /* RFC 4954 */
    SMTP_VERB_REFUSED,  /* known, but not offered here: EXPN, TURN, ETRN, ... */
    SMTP_VERB_FOREIGN,  /* another protocol speaks: HTTP and its header lines */
    SMTP_VERB_COUNT,
};

struct smtp_command {
    enum smtp_verb verb;
    struct dsnd_str argument; /* without spaces at either end; empty where there is none */
};

/*
 * Split `line` (without CR LF); the argument borrows from it. DSND_ERR_SYNTAX: control octets or
 * invalid UTF-8 anywhere, or no verb; DSND_ERR_NOT_FOUND: no such verb.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_command_parse(struct dsnd_str line, struct smtp_command *ret_command);

/* `argument` is a domain or an address literal as far as EHLO needs it: 1-255 visible ASCII. */
bool smtp_command_helo_valid(struct dsnd_str argument);

/* "BDAT <octets> [LAST]": RFC 3030 section 2. */
struct smtp_chunk {
    uint64_t octets;
    bool last;
    bool bad; /* something else stood where LAST may: the chunk is to be skipped */
};

/* DSND_ERR_SYNTAX; DSND_ERR_LIMIT: a number too large to count, so the chunk cannot be skipped. */
DSND_MUST_CHECK
enum dsnd_err smtp_command_chunk(struct dsnd_str argument, struct smtp_chunk *ret_chunk);

#endif
