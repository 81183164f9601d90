#include "parse/date.h"

#include <time.h>

#include "base/clock.h"

static const char month_names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

static const struct {
    struct dsnd_str name;
    int minutes;
} zones[] = {
    {DSND_STR_INIT("EST"), -300}, {DSND_STR_INIT("EDT"), -240}, {DSND_STR_INIT("CST"), -360},
    {DSND_STR_INIT("CDT"), -300}, {DSND_STR_INIT("MST"), -420}, {DSND_STR_INIT("MDT"), -360},
    {DSND_STR_INIT("PST"), -480}, {DSND_STR_INIT("PDT"), -420}, {DSND_STR_INIT("CET"), 60},
    {DSND_STR_INIT("CEST"), 120}, {DSND_STR_INIT("JST"), 540},  {DSND_STR_INIT("BST"), 60},
};

/* The next word of `*text`, cut at white space and commas. */
static struct dsnd_str next_word(struct dsnd_str *text)
{
    size_t from = 0;
    size_t to;
    struct dsnd_str word;

    while (from < text->len && (dsnd_is_space(text->ptr[from]) || text->ptr[from] == ','))
        from++;
    for (to = from; to < text->len && !dsnd_is_space(text->ptr[to]) && text->ptr[to] != ',';)
        to++;
    word = dsnd_str_slice(*text, from, to);
    *text = dsnd_str_slice(*text, to, text->len);
    return word;
}

static bool read_number(struct dsnd_str word, uint64_t max, int *ret_value)
{
    uint64_t value = 0;

    if (dsnd_str_to_u64(word, max, &value))
        return false;
    *ret_value = (int)value;
    return true;
}

static bool read_month(struct dsnd_str word, int *ret_month)
{
    for (int i = 0; i < 12; i++)
        if (word.len >= 3 &&
            dsnd_str_ieq(dsnd_str_slice(word, 0, 3), dsnd_str_make(month_names + i * 3, 3))) {
            *ret_month = i;
            return true;
        }
    return false;
}

static bool read_time(struct dsnd_str word, struct tm *date)
{
    struct dsnd_str hour = dsnd_str_cut(&word, ':');
    struct dsnd_str minute = dsnd_str_cut(&word, ':');

    if (!read_number(hour, 23, &date->tm_hour) || !read_number(minute, 59, &date->tm_min))
        return false;
    return word.len == 0 || read_number(word, 60, &date->tm_sec);
}

/* Minutes east of UTC; 0 for a zone that is unknown. */
static int zone_minutes(struct dsnd_str word)
{
    int hours = 0;
    int minutes = 0;

    if (word.len == 5 && (word.ptr[0] == '+' || word.ptr[0] == '-') &&
        read_number(dsnd_str_slice(word, 1, 3), 23, &hours) &&
        read_number(dsnd_str_slice(word, 3, 5), 59, &minutes))
        return (word.ptr[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
    for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++)
        if (dsnd_str_ieq(word, zones[i].name))
            return zones[i].minutes;
    return 0;
}

enum dsnd_err date_read(struct dsnd_str text, int64_t *ret_us)
{
    struct tm date = {0};
    struct dsnd_str word = next_word(&text);
    time_t seconds;

    if (word.len && dsnd_is_alpha(word.ptr[0]))
        word = next_word(&text); /* the day's name */
    if (!read_number(word, 31, &date.tm_mday) || date.tm_mday == 0 ||
        !read_month(next_word(&text), &date.tm_mon) ||
        !read_number(next_word(&text), 9999, &date.tm_year) || !read_time(next_word(&text), &date))
        return DSND_ERR_SYNTAX;
    if (date.tm_year < 50)
        date.tm_year += 2000; /* RFC 5322 section 4.3 */
    else if (date.tm_year < 1000)
        date.tm_year += 1900;
    date.tm_year -= 1900;
    seconds = timegm(&date) - (time_t)zone_minutes(next_word(&text)) * 60;
    *ret_us = (int64_t)seconds * DSND_US_PER_S;
    return DSND_OK;
}
