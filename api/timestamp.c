#include "api/timestamp.h"

#include "base/clock.h"

/* Take exactly `digits` digits off the front of `*s`, a number from `min` to `max`. */
static enum dsnd_err take(struct dsnd_str *s, size_t digits, unsigned min, unsigned max,
                          unsigned *ret_value)
{
    unsigned value = 0;

    if (s->len < digits)
        return DSND_ERR_SYNTAX;
    for (size_t i = 0; i < digits; i++) {
        if (!dsnd_is_digit(s->ptr[i]))
            return DSND_ERR_SYNTAX;
        value = value * 10 + (unsigned)(s->ptr[i] - '0');
    }
    *s = dsnd_str_slice(*s, digits, s->len);
    *ret_value = value;
    return value < min || value > max ? DSND_ERR_SYNTAX : DSND_OK;
}

static enum dsnd_err take_char(struct dsnd_str *s, char lower)
{
    if (s->len == 0 || dsnd_lower(s->ptr[0]) != lower)
        return DSND_ERR_SYNTAX;
    *s = dsnd_str_slice(*s, 1, s->len);
    return DSND_OK;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Days from 1970-01-01 of a Gregorian date. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    int64_t days = (int64_t)day - 1;

    for (unsigned y = 1970; y < year; y++)
        days += days_in_month(y, 2) == 29 ? 366 : 365;
    for (unsigned m = 1; m < month; m++)
        days += days_in_month(year, m);
    return days;
}

static enum dsnd_err take_date(struct dsnd_str *s, int64_t *ret_us)
{
    unsigned year;
    unsigned month;
    unsigned day;

    if (take(s, 4, 1970, 2199, &year) || take_char(s, '-') || take(s, 2, 1, 12, &month) ||
        take_char(s, '-') || take(s, 2, 1, 31, &day) || day > days_in_month(year, month))
        return DSND_ERR_SYNTAX;
    *ret_us = days_of(year, month, day) * DSND_US_PER_DAY;
    return DSND_OK;
}

/* ".123456789": what is finer than a microsecond is cut. */
static enum dsnd_err take_fraction(struct dsnd_str *s, int64_t *us)
{
    int64_t unit = DSND_US_PER_S / 10;
    size_t digits = 0;

    if (take_char(s, '.'))
        return DSND_OK;
    for (; digits < s->len && dsnd_is_digit(s->ptr[digits]); digits++, unit /= 10)
        *us += (s->ptr[digits] - '0') * unit;
    *s = dsnd_str_slice(*s, digits, s->len);
    return digits >= 1 && digits <= 9 ? DSND_OK : DSND_ERR_SYNTAX;
}

static enum dsnd_err take_offset(struct dsnd_str *s, int64_t *us)
{
    unsigned hours;
    unsigned minutes;
    int64_t sign = -1; /* local time is ahead of UTC where the offset is positive */

    if (!take_char(s, 'z'))
        return DSND_OK;
    if (take_char(s, '+')) {
        sign = 1;
        if (take_char(s, '-'))
            return DSND_ERR_SYNTAX;
    }
    if (take(s, 2, 0, 23, &hours) || take_char(s, ':') || take(s, 2, 0, 59, &minutes))
        return DSND_ERR_SYNTAX;
    *us += sign * (int64_t)(hours * 60 + minutes) * 60 * DSND_US_PER_S;
    return DSND_OK;
}

enum dsnd_err timestamp_parse(struct dsnd_str text, int64_t *ret_us)
{
    unsigned hour;
    unsigned minute;
    unsigned second;
    int64_t us;

    if (take_date(&text, &us))
        return DSND_ERR_SYNTAX;
    if (text.len == 0) {
        *ret_us = us;
        return DSND_OK;
    }
    if (take_char(&text, 't') || take(&text, 2, 0, 23, &hour) || take_char(&text, ':') ||
        take(&text, 2, 0, 59, &minute) || take_char(&text, ':') || take(&text, 2, 0, 60, &second))
        return DSND_ERR_SYNTAX;
    us += (int64_t)(hour * 3600 + minute * 60 + second) * DSND_US_PER_S;
    if (take_fraction(&text, &us) || take_offset(&text, &us) || text.len != 0 || us < 0)
        return DSND_ERR_SYNTAX;
    *ret_us = us;
    return DSND_OK;
}
