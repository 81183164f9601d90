/*
 * A crash blames the message at hand; a process that is killed from outside, perhaps again and
 * again, must not have an innocent one set aside.
 */
#ifndef DSND_CMD_CRASH_H
#define DSND_CMD_CRASH_H

#include "ingest/journal.h"

/*
 * What `reader` has marked is to blame when this process crashes; NULL: nothing is any more. A full
 * stack is a crash as well: of the thread that calls this, which parses.
 */
void crash_await(struct journal_reader *reader);

#endif
