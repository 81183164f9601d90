/*
 * Times as the logs of mail servers write them. Pure: what depends on a time zone or on today is
 * asked of the clock that is passed in. Any thread, linear time.
 */
#ifndef DSND_PARSE_MTA_TIME_H
#define DSND_PARSE_MTA_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* A date and time of day without a zone. */
struct mta_civil {
    int year; /* 0: not written (traditional syslog) */
    int month;
    int day;
    int hour;
    int minute;
    int second;
};

struct mta_clock {
    /* Microseconds since 1970 UTC of a local time with a year. */
    int64_t (*local_us)(void *context, const struct mta_civil *civil);
    void *context;
    int64_t now_us; /* a time without a year is at most a day after this */
};

/* The same for UTC, `offset_s` seconds east of it. */
int64_t mta_time_us(const struct mta_civil *civil, int offset_s);

/*
 * The time at the front of `*rest`, which is cut off, white space behind it too; false where there
 * is none, `*rest` and `*ret_us` unchanged. "Nov 29 01:11:22" or what mta_time_iso reads.
 */
bool mta_time_syslog(const struct mta_clock *clock, struct dsnd_str *rest, int64_t *ret_us);
/*
 * "2026-11-29 01:11:22", with 'T' or a space between, a fraction or none, and "Z", "+0100",
 * "+01:00" (a space may stand before it) or no zone: then it is local time.
 */
bool mta_time_iso(const struct mta_clock *clock, struct dsnd_str *rest, int64_t *ret_us);
/* Whole seconds since 1970, all of `text`; or mta_time_iso. */
bool mta_time_number(const struct mta_clock *clock, struct dsnd_str text, int64_t *ret_us);

#endif
