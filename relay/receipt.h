/*
 * The receipt for delivered mail: a "delivered" delivery status notification (RFC 3461
 * section 5.2.2, RFC 3464, RFC 6533), for senders who asked for it by NOTIFY=SUCCESS. Pure, any
 * thread.
 */
#ifndef DSND_RELAY_RECEIPT_H
#define DSND_RELAY_RECEIPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
    /* Octets of the original's header that are returned. */
    RECEIPT_HEADER_MAX = 32 * 1024,
    /* Octets of a receipt: give the buffer this cap. 1,000 recipients with the longest paths. */
    RECEIPT_OCTETS_MAX = 4 * 1024 * 1024,
};

/* One whom the mail was delivered to. */
struct receipt_recipient {
    struct dsnd_str address;            /* forward path, without < and > */
    struct dsnd_str original_recipient; /* ORCPT as given, "type;xtext"; absent if none */
};

/* All views are borrowed. */
struct receipt {
    const char *hostname;        /* the machine's own, as in SMTP */
    struct dsnd_str sender;      /* reverse path of the mail, to whom the receipt goes */
    struct dsnd_str envelope_id; /* ENVID as given, xtext; absent if none */
    struct dsnd_str helo;        /* who handed the mail in */
    const char *id;              /* unique and the same at each attempt; letters, digits, dots */
    int64_t received_us;         /* when the mail was delivered */
    const struct receipt_recipient *recipients;
    size_t recipient_count;
    struct dsnd_str octets; /* the mail itself; its header is returned */
};

/*
 * Append the receipt as a message, lines ended by CR LF, none longer than 998 octets; ASCII but for
 * addresses that are not (RFC 6532). DSND_ERR_NOMEM, DSND_ERR_LIMIT.
 */
DSND_MUST_CHECK
enum dsnd_err receipt_write(const struct receipt *self, struct dsnd_buf *out);

#endif
