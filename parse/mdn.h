/*
 * Message disposition notifications (RFC 8098). One that says that the message was refused is a
 * failure; any other says nothing of delivery. One thread, linear.
 */
#ifndef DSND_PARSE_MDN_H
#define DSND_PARSE_MDN_H

#include <stdbool.h>

#include "parse/draft.h"
#include "parse/mime.h"

/* Read a notification. False, and nothing read, where the message is none. */
bool mdn_read(struct draft *draft, const struct mime_message *mime);

#endif
