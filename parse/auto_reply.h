/*
 * Automatic responses (RFC 3834): vacation notices, challenges, acknowledgements. They prove that
 * an address answers and are no failures. One thread, linear.
 */
#ifndef DSND_PARSE_AUTO_REPLY_H
#define DSND_PARSE_AUTO_REPLY_H

#include <stdbool.h>

#include "parse/draft.h"
#include "parse/mime.h"

/*
 * Is it one? By its headers and its subject, in the languages mail comes in. To be asked after
 * everything that reports a delivery, since MTAs mark their reports with the same headers. Needs
 * the report's `subject` and `from`; adds the answering address as the recipient.
 */
bool auto_reply_read(struct draft *draft, const struct mime_message *mime);

/* Do headers or subject say so? Not enough where a mailer-daemon writes. */
bool auto_reply_is_marked(const struct mime_message *mime, struct dsnd_str subject);

/*
 * A challenge written as a delivery report ("Action: failed") to a sender who has yet to show that
 * he is a person: make it the automatic response that it is. The message was kept and the
 * recipient's mailbox is in order.
 */
void auto_reply_mark_challenge(struct report *report);

#endif
