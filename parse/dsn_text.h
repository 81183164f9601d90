/*
 * The fields of a delivery status (RFC 3464) in a part for people, where a sender or a gateway has
 * lost the part of their own. One thread, linear time.
 */
#ifndef DSND_PARSE_DSN_TEXT_H
#define DSND_PARSE_DSN_TEXT_H

#include "parse/draft.h"
#include "parse/mime.h"

/*
 * Read the fields of the first text part that holds a recipient with an action, in a message that
 * comes from a mail system: a null return path, or such a sender. Fields of a returned message are
 * not read. Returns the number of recipients added.
 */
size_t dsn_text_read(struct draft *draft, const struct mime_message *mime);

#endif
