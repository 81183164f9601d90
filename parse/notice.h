/*
 * Delivery notices as JSON in a letter, as Amazon SES sends them through SNS. Not a JSON parser:
 * known keys of one known layout are looked up. One thread, linear time.
 */
#ifndef DSND_PARSE_NOTICE_H
#define DSND_PARSE_NOTICE_H

#include <stdbool.h>

#include "parse/draft.h"
#include "parse/mime.h"

/*
 * Read a notice of a bounce or a delivery: kind and recipients. False, and nothing read, where the
 * text does not begin with one that names somebody.
 */
bool notice_read(struct draft *draft, const struct mime_message *mime);

#endif
