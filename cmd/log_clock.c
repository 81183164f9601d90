#include "cmd/log_clock.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

/* Lines of several processes are not quite in order. */
#define BACK_US (5 * 60 * DSND_US_PER_S)

void log_clock_begin(struct log_clock *self, bool resumed)
{
    self->last_us = 0;
    self->resumed = resumed;
}

/* The hour with or without summer time (-1: as the zone has it); `otherwise` where it has no such.
 */
static int64_t begin_of(const struct mta_civil *hour, int summer, int64_t otherwise)
{
    struct tm broken = {
        .tm_year = hour->year - 1900,
        .tm_mon = hour->month - 1,
        .tm_mday = hour->day,
        .tm_hour = hour->hour,
        .tm_isdst = summer,
    };
    int64_t us = (int64_t)mktime(&broken) * DSND_US_PER_S;

    return summer < 0 || (broken.tm_isdst == summer && broken.tm_hour == hour->hour) ? us
                                                                                     : otherwise;
}

/* Time zones change by whole minutes at whole minutes, in practice at whole hours. */
static void set_hour(struct log_clock *self, const struct mta_civil *hour)
{
    int64_t us = begin_of(hour, -1, 0);
    int64_t summer_us = begin_of(hour, 1, us);
    int64_t winter_us = begin_of(hour, 0, us);

    /* Where winter time counts as the time that is set apart it is the other way round. */
    self->hour = *hour;
    self->first_us = summer_us < winter_us ? summer_us : winter_us;
    self->second_us = summer_us < winter_us ? winter_us : summer_us;
}

/* Of two times the second is meant once the log has gone back to it. */
static bool is_second(const struct log_clock *self, int64_t first_us, int64_t second_us)
{
    if (second_us > self->end_us)
        return false;
    if (!self->last_us) /* what was read before went on to now */
        return self->resumed;
    return first_us < self->last_us - BACK_US;
}

int64_t log_clock_local_us(void *context, const struct mta_civil *civil)
{
    struct log_clock *self = context;
    struct mta_civil hour = *civil;
    int64_t within_us = (civil->minute * 60 + civil->second) * DSND_US_PER_S;
    int64_t first_us;
    int64_t second_us;

    hour.minute = 0;
    hour.second = 0;
    if (memcmp(&hour, &self->hour, sizeof(hour)) != 0)
        set_hour(self, &hour);
    first_us = self->first_us + within_us;
    second_us = self->second_us + within_us;
    return first_us != second_us && is_second(self, first_us, second_us) ? second_us : first_us;
}
