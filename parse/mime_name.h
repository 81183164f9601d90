/*
 * Which header fields the readers of reports ask for: the scan shows the MIME parser no others.
 * Pure, any thread.
 */
#ifndef DSND_PARSE_MIME_NAME_H
#define DSND_PARSE_MIME_NAME_H

#include "base/str.h"

/* Is the field named so read, of the message, of a part, or of the returned message? */
bool mime_name_is_read(struct dsnd_str name);

/* Is it one of the names in `names`, comma-separated? Letters match in either case. */
bool mime_name_is_listed(struct dsnd_str names, struct dsnd_str name);

#endif
