/*
 * Reasons that stand only in the prose beside a delivery-status part: some MTAs (OpenSMTPD,
 * Sendmail for local programs) leave Diagnostic-Code out and say for people why delivery failed.
 * One thread, linear.
 */
#ifndef DSND_PARSE_PROSE_FILL_H
#define DSND_PARSE_PROSE_FILL_H

#include "parse/draft.h"
#include "parse/mime.h"

/*
 * Give each recipient whose `diagnostic` holds no word the text that the prose gives for the same
 * address, with its codes and host. Actions and Status stay as the fields say. The prose is left in
 * the draft's `prose` where a text was missing.
 */
void prose_fill(struct draft *draft, const struct mime_message *mime);

#endif
