/*
 * The remote host in the text of a failure. Pure, any thread, linear.
 */
#ifndef DSND_PARSE_PROSE_HOST_H
#define DSND_PARSE_PROSE_HOST_H

#include "base/str.h"

/* The name or address of the host that answered, borrowed from `text`; absent if none is named. */
struct dsnd_str prose_host_find(struct dsnd_str text);

#endif
