/*
 * Loop detection (RFC 5321 section 6.3): trace fields at the top of a message. Pure, any thread.
 */
#ifndef DSND_INGEST_SMTP_HOPS_H
#define DSND_INGEST_SMTP_HOPS_H

#include "base/str.h"

/* "Received:" fields of a message that is going in circles; the RFC wants 100 or more. */
enum { SMTP_HOPS_MAX = 100 };

/* Received fields in the header of `message`, counted up to SMTP_HOPS_MAX. Linear in the header. */
unsigned smtp_hops_count(struct dsnd_str message);

#endif
