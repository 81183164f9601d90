/*
 * Times as clients write them: RFC 3339 date-times, or a date alone (midnight UTC). Pure, any
 * thread.
 */
#ifndef DSND_API_TIMESTAMP_H
#define DSND_API_TIMESTAMP_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Microseconds since 1970 UTC; years 1970 to 2199. A leap second counts as the second after it.
 * DSND_ERR_SYNTAX.
 */
DSND_MUST_CHECK
enum dsnd_err timestamp_parse(struct dsnd_str text, int64_t *ret_us);

#endif
