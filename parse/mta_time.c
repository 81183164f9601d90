#include "parse/mta_time.h"

#include "base/clock.h"

enum { SECONDS_MAX = 60, YEAR_MIN = 1970, YEAR_MAX = 9999 };

/* Days since 1970-01-01 in the proleptic Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t mta_time_us(const struct mta_civil *civil, int offset_s)
{
    int64_t seconds = days_of(civil->year, civil->month, civil->day) * 86400 + civil->hour * 3600 +
                      civil->minute * 60 + civil->second - offset_s;

    return seconds * DSND_US_PER_S;
}

/* `digits` decimal digits within low..high. */
static bool take_number(struct dsnd_str *rest, size_t digits, int low, int high, int *ret_number)
{
    int number = 0;

    if (rest->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (!dsnd_is_digit(rest->ptr[i]))
            return false;
        number = number * 10 + (rest->ptr[i] - '0');
    }
    if (number < low || number > high)
        return false;
    *rest = dsnd_str_slice(*rest, digits, rest->len);
    *ret_number = number;
    return true;
}

static bool take_char(struct dsnd_str *rest, char c)
{
    if (!rest->len || rest->ptr[0] != c)
        return false;
    *rest = dsnd_str_slice(*rest, 1, rest->len);
    return true;
}

static bool take_clock(struct dsnd_str *rest, struct mta_civil *civil)
{
    return take_number(rest, 2, 0, 23, &civil->hour) && take_char(rest, ':') &&
           take_number(rest, 2, 0, 59, &civil->minute) && take_char(rest, ':') &&
           take_number(rest, 2, 0, SECONDS_MAX, &civil->second);
}

static bool take_month(struct dsnd_str *rest, int *ret_month)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++) {
        if (!dsnd_str_istarts(*rest, dsnd_str_make(names + 3 * i, 3)))
            continue;
        *rest = dsnd_str_slice(*rest, 3, rest->len);
        *ret_month = i + 1;
        return true;
    }
    return false;
}

static void skip_space(struct dsnd_str *rest)
{
    while (rest->len && rest->ptr[0] == ' ')
        *rest = dsnd_str_slice(*rest, 1, rest->len);
}

static bool take_fraction(struct dsnd_str *rest, int64_t *ret_us)
{
    int64_t unit = DSND_US_PER_S / 10;

    if (!take_char(rest, '.') && !take_char(rest, ','))
        return true;
    if (!rest->len || !dsnd_is_digit(rest->ptr[0]))
        return false;
    for (; rest->len && dsnd_is_digit(rest->ptr[0]); unit /= 10) {
        *ret_us += (rest->ptr[0] - '0') * unit;
        *rest = dsnd_str_slice(*rest, 1, rest->len);
    }
    return true;
}

/* "Z", "+0100", "+01:00"; false where there is none. */
static bool take_zone(struct dsnd_str *rest, int *ret_offset_s)
{
    struct dsnd_str at = *rest;
    int sign = 1;
    int hours = 0;
    int minutes = 0;

    skip_space(&at);
    if (take_char(&at, 'Z')) {
        *ret_offset_s = 0;
        *rest = at;
        return true;
    }
    if (take_char(&at, '-'))
        sign = -1;
    else if (!take_char(&at, '+'))
        return false;
    if (!take_number(&at, 2, 0, 23, &hours))
        return false;
    (void)take_char(&at, ':');
    if (!take_number(&at, 2, 0, 59, &minutes))
        return false;
    *ret_offset_s = sign * (hours * 3600 + minutes * 60);
    *rest = at;
    return true;
}

/* The year in which the time lies at most a day in the future. */
static int64_t in_year(const struct mta_clock *clock, struct mta_civil *civil)
{
    int64_t days = clock->now_us / DSND_US_PER_DAY;
    int64_t at;

    for (civil->year = YEAR_MIN; days_of(civil->year + 1, 1, 1) <= days + 1;)
        civil->year++;
    at = clock->local_us(clock->context, civil);
    if (at <= clock->now_us + DSND_US_PER_DAY)
        return at;
    civil->year--;
    return clock->local_us(clock->context, civil);
}

bool mta_time_syslog(const struct mta_clock *clock, struct dsnd_str *rest, int64_t *ret_us)
{
    struct mta_civil civil = {0};
    struct dsnd_str at = *rest;
    size_t digits;

    if (at.len && dsnd_is_digit(at.ptr[0]))
        return mta_time_iso(clock, rest, ret_us);
    if (!take_month(&at, &civil.month) || !take_char(&at, ' '))
        return false;
    skip_space(&at);
    digits = at.len > 1 && dsnd_is_digit(at.ptr[1]) ? 2 : 1;
    if (!take_number(&at, digits, 1, 31, &civil.day) || !take_char(&at, ' ') ||
        !take_clock(&at, &civil))
        return false;
    skip_space(&at);
    *ret_us = in_year(clock, &civil);
    *rest = at;
    return true;
}

bool mta_time_iso(const struct mta_clock *clock, struct dsnd_str *rest, int64_t *ret_us)
{
    struct mta_civil civil = {0};
    struct dsnd_str at = *rest;
    int64_t fraction_us = 0;
    int offset_s = 0;

    if (!take_number(&at, 4, YEAR_MIN, YEAR_MAX, &civil.year) || !take_char(&at, '-') ||
        !take_number(&at, 2, 1, 12, &civil.month) || !take_char(&at, '-') ||
        !take_number(&at, 2, 1, 31, &civil.day))
        return false;
    if (!take_char(&at, 'T') && !take_char(&at, ' '))
        return false;
    if (!take_clock(&at, &civil) || !take_fraction(&at, &fraction_us))
        return false;
    if (take_zone(&at, &offset_s))
        *ret_us = mta_time_us(&civil, offset_s) + fraction_us;
    else
        *ret_us = clock->local_us(clock->context, &civil) + fraction_us;
    skip_space(&at);
    *rest = at;
    return true;
}

bool mta_time_number(const struct mta_clock *clock, struct dsnd_str text, int64_t *ret_us)
{
    uint64_t seconds;

    if (dsnd_str_to_u64(text, UINT64_C(253402300799), &seconds))
        return mta_time_iso(clock, &text, ret_us) && !text.len;
    *ret_us = (int64_t)seconds * DSND_US_PER_S;
    return true;
}
