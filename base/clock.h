/*
 * Time. Wall-clock times are microseconds since 1970-01-01 UTC; timers use the monotonic clock, so
 * that a jump of the wall clock moves none of them. Any thread.
 */
#ifndef DSND_BASE_CLOCK_H
#define DSND_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DSND_US_PER_S INT64_C(1000000)
#define DSND_US_PER_DAY (INT64_C(86400) * DSND_US_PER_S)

int64_t dsnd_clock_now_us(void);       /* wall clock */
int64_t dsnd_clock_monotonic_ms(void); /* since an arbitrary moment; never goes back */

/* Octets of "2026-11-23T10:00:00.123456Z" with its NUL. */
enum { DSND_RFC3339_SIZE = 28 };
/* RFC 3339 in UTC with microseconds, into `dst`; years 0000..9999, others are clamped. */
void dsnd_clock_format(int64_t us, char dst[DSND_RFC3339_SIZE]);

#endif
