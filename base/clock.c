#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id, int64_t per_second)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);

    assert(rc == 0);
    (void)rc;
    return (int64_t)ts.tv_sec * per_second + ts.tv_nsec / (1000000000 / per_second);
}

int64_t dsnd_clock_now_us(void)
{
    return read_clock(CLOCK_REALTIME, DSND_US_PER_S);
}

int64_t dsnd_clock_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC, 1000);
}

void dsnd_clock_format(int64_t us, char dst[DSND_RFC3339_SIZE])
{
    const int64_t min_us = INT64_C(-62167219200) * DSND_US_PER_S;
    const int64_t max_us = INT64_C(253402300799) * DSND_US_PER_S;
    struct tm tm;
    int64_t fraction;
    time_t seconds;
    int len;

    us = us < min_us ? min_us : us;
    us = us > max_us ? max_us : us;
    fraction = us % DSND_US_PER_S;
    if (fraction < 0)
        fraction += DSND_US_PER_S;
    seconds = (time_t)((us - fraction) / DSND_US_PER_S);
    memset(&tm, 0, sizeof(tm));
    gmtime_r(&seconds, &tm);
    len = snprintf(dst, DSND_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
                   (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
                   (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
                   (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, (unsigned)fraction);
    assert(len == DSND_RFC3339_SIZE - 1);
    (void)len;
}
