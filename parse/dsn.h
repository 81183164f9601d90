/*
 * The fields of a delivery status (RFC 3464 sections 2.2 and 2.3, RFC 6533), however badly grouped.
 * Every group becomes a recipient of the draft. One thread, linear time.
 */
#ifndef DSND_PARSE_DSN_H
#define DSND_PARSE_DSN_H

#include "base/str.h"
#include "parse/draft.h"

/*
 * Read a whole delivery-status block: UTF-8 with LF line ends, after its transfer encoding was
 * removed. Returns the number of recipients it added.
 */
size_t dsn_read(struct draft *draft, struct dsnd_str text);

#endif
