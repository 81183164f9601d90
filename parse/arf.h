/*
 * Complaints: the feedback report of RFC 5965, the authentication failures of RFC 6591, and the
 * form of mailbox providers that send the message with a header of their own instead. One thread,
 * linear.
 */
#ifndef DSND_PARSE_ARF_H
#define DSND_PARSE_ARF_H

#include <stdbool.h>

#include "parse/draft.h"
#include "parse/mime.h"

/*
 * Read a complaint: kind, feedback type, and the recipients it names (each once; a redacted address
 * is none). False, and nothing read, where the message is none.
 */
bool arf_read(struct draft *draft, const struct mime_message *mime);

#endif
