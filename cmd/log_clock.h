/*
 * Local times of a log as times: what the zone ($TZ) says, also in the hour that comes twice when
 * summer time ends. There the first pass is meant until the log goes back. One thread.
 */
#ifndef DSND_CMD_LOG_CLOCK_H
#define DSND_CMD_LOG_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "parse/mta_time.h"

struct log_clock {
    /* The hour that was last asked for: its beginning, and that of its second pass, else the same.
     */
    struct mta_civil hour;
    int64_t first_us;
    int64_t second_us;
    /* Of the file that is read. */
    int64_t last_us; /* time of the line before; 0: none yet */
    int64_t end_us;  /* no line is younger */
    bool resumed;    /* the lines before were read by another run */
};

/* Lines of another file follow, from its front or not. */
void log_clock_begin(struct log_clock *self, bool resumed);

/* A time in microseconds since 1970; an mta_clock calls it with a struct log_clock. */
int64_t log_clock_local_us(void *context, const struct mta_civil *civil);

#endif
