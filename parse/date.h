/*
 * Dates of mail (RFC 5322 section 3.3 and its obsolete zones). Pure, any thread.
 */
#ifndef DSND_PARSE_DATE_H
#define DSND_PARSE_DATE_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * "Mon, 23 Nov 2026 10:00:00 +0100 (CET)" to microseconds since 1970-01-01 UTC. An unknown zone
 * counts as UTC. DSND_ERR_SYNTAX: no such date.
 */
DSND_MUST_CHECK
enum dsnd_err date_read(struct dsnd_str text, int64_t *ret_us);

#endif
