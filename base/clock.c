#include "base/clock.h"

#include <assert.h>
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

/* Lists print millions of times: much cheaper than printf. */
static void put_digits(char *dst, int count, int value)
{
    for (; count > 0; value /= 10)
        dst[--count] = (char)('0' + value % 10);
}

void dsnd_clock_format(int64_t us, char dst[DSND_RFC3339_SIZE])
{
    const int64_t min_us = INT64_C(-62167219200) * DSND_US_PER_S;
    const int64_t max_us = INT64_C(253402300799) * DSND_US_PER_S;
    static const char shape[DSND_RFC3339_SIZE] = "0000-00-00T00:00:00.000000Z";
    struct tm tm;
    int64_t fraction;
    time_t seconds;

    us = us < min_us ? min_us : us;
    us = us > max_us ? max_us : us;
    fraction = us % DSND_US_PER_S;
    if (fraction < 0)
        fraction += DSND_US_PER_S;
    seconds = (time_t)((us - fraction) / DSND_US_PER_S);
    memset(&tm, 0, sizeof(tm));
    gmtime_r(&seconds, &tm);
    memcpy(dst, shape, sizeof(shape));
    put_digits(dst, 4, tm.tm_year + 1900);
    put_digits(dst + 5, 2, tm.tm_mon + 1);
    put_digits(dst + 8, 2, tm.tm_mday);
    put_digits(dst + 11, 2, tm.tm_hour);
    put_digits(dst + 14, 2, tm.tm_min);
    put_digits(dst + 17, 2, tm.tm_sec);
    put_digits(dst + 20, 6, (int)fraction);
}
