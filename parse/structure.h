/*
 * The structure of a message in words, for `dsnd explain`. Any thread, with a draft of its own.
 */
#ifndef DSND_PARSE_STRUCTURE_H
#define DSND_PARSE_STRUCTURE_H

#include "parse/draft.h"
#include "parse/mime.h"

/* A note for the message and for each of its parts: type, size, and what it is read as. */
void structure_note(struct draft *draft, const struct mime_message *mime);

#endif
