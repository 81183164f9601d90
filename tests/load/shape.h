/*
 * Messages as mail systems send them back: one text a shape, with {names} to fill in. Used by the
 * demonstration and by the measurement, so that both send the same. Pure functions, any thread.
 */
#ifndef DSND_TESTS_LOAD_SHAPE_H
#define DSND_TESTS_LOAD_SHAPE_H

#include <stdint.h>

#include "base/buf.h"

enum shape {
    SHAPE_POSTFIX_FAILED,
    SHAPE_POSTFIX_DELAYED,
    SHAPE_POSTFIX_DELIVERED,
    SHAPE_POSTFIX_RELAYED,
    SHAPE_EXIM_FAILED,
    SHAPE_EXIM_DELAYED,
    SHAPE_SENDMAIL_FAILED,
    SHAPE_SENDMAIL_DELAYED,
    SHAPE_EXCHANGE_FAILED,
    SHAPE_POWERMTA_FAILED,
    SHAPE_COMPLAINT,
    SHAPE_AUTO_REPLY,
    SHAPE_COUNT,
};

/* What is filled in. All views are borrowed. */
struct shape_values {
    struct dsnd_str recipient;   /* whom the report names */
    struct dsnd_str sent_to;     /* the To of the returned message */
    struct dsnd_str return_path; /* where the report goes */
    struct dsnd_str mx;
    struct dsnd_str provider_domain;
    struct dsnd_str status;
    struct dsnd_str text; /* of the remote MTA; may hold {recipient} and {mx} */
    uint64_t id;          /* makes Message-ID and queue ids unlike all others */
    int64_t now_us;       /* wall clock */
};

/* The message with CR LF at the end of each line, appended. Errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err shape_write(enum shape shape, const struct shape_values *values,
                          struct dsnd_buf *out);

/* The shapes in which one kind of report comes: `pick` chooses among them. */
enum shape shape_failed(uint64_t pick);
enum shape shape_delayed(uint64_t pick);

#endif
