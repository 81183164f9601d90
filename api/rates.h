/*
 * Counts and rates as the API publishes them: each rate with numerator and denominator, null where
 * the denominator is not known or cannot be right. Pure, any thread.
 */
#ifndef DSND_API_RATES_H
#define DSND_API_RATES_H

#include <stdbool.h>
#include <stdint.h>

#include "api/json_out.h"

struct rates {
    bool with_interval; /* each rate also with `low` and `high` */
    bool has_sent;
    int64_t sent;
    int64_t failed; /* hard + soft + block */
    int64_t hard;
    int64_t soft;
    int64_t block;
    int64_t delivered;
    int64_t handed_off;
    int64_t delay_open;
    int64_t delayed;
    int64_t complained;
    int64_t statuses;
    int64_t proven;
};

/* The members "counts" and "rates" of an open object. */
void rates_write(struct json_out *json, const struct rates *rates);
/*
 * One rate: {"value":...,"numerator":...,"denominator":...}. The value is null unless `usable` and
 * 0 <= numerator <= denominator > 0; a NULL denominator is not known.
 */
void rates_write_one(struct json_out *json, const char *name, int64_t numerator,
                     const int64_t *denominator, bool usable);

/*
 * The 95 % interval of a share by Wilson's score: 0 <= low <= share <= high <= 1, where
 * 0 <= numerator <= denominator > 0.
 */
void rates_interval(int64_t numerator, int64_t denominator, double *ret_low, double *ret_high);

#endif
