#include "api/rates.h"

#include <math.h>

void rates_interval(int64_t numerator, int64_t denominator, double *ret_low, double *ret_high)
{
    static const double z = 1.959963984540054; /* of the normal distribution, 97.5 % */
    double n = (double)denominator;
    double p = (double)numerator / n;
    double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));

    *ret_low = numerator == 0 ? 0 : fmax(0, middle - half);
    *ret_high = numerator == denominator ? 1 : fmin(1, middle + half);
}

static bool has_value(int64_t numerator, const int64_t *denominator, bool usable)
{
    return usable && denominator && *denominator > 0 && numerator >= 0 && numerator <= *denominator;
}

static void write_members(struct json_out *json, int64_t numerator, const int64_t *denominator,
                          bool usable)
{
    json_out_name(json, "value");
    if (has_value(numerator, denominator, usable))
        json_out_fraction(json, (double)numerator / (double)*denominator);
    else
        json_out_null(json);
    json_out_name(json, "numerator");
    json_out_int(json, numerator);
    json_out_name(json, "denominator");
    if (denominator)
        json_out_int(json, *denominator);
    else
        json_out_null(json);
}

static void write_interval(struct json_out *json, int64_t numerator, const int64_t *denominator,
                           bool usable)
{
    double low = 0;
    double high = 0;
    bool known = has_value(numerator, denominator, usable);

    if (known)
        rates_interval(numerator, *denominator, &low, &high);
    json_out_name(json, "low");
    if (known)
        json_out_fraction(json, low);
    else
        json_out_null(json);
    json_out_name(json, "high");
    if (known)
        json_out_fraction(json, high);
    else
        json_out_null(json);
}

void rates_write_one(struct json_out *json, const char *name, int64_t numerator,
                     const int64_t *denominator, bool usable)
{
    json_out_name(json, name);
    json_out_object(json);
    write_members(json, numerator, denominator, usable);
    json_out_object_end(json);
}

static void write_count(struct json_out *json, const char *name, int64_t value)
{
    json_out_name(json, name);
    json_out_int(json, value);
}

/* Deliveries of which something was reported that holds now. */
static int64_t reported(const struct rates *r)
{
    return r->failed + r->delivered + r->handed_off + r->delay_open;
}

static void write_counts(struct json_out *json, const struct rates *r)
{
    json_out_name(json, "counts");
    json_out_object(json);
    write_count(json, "failed", r->failed);
    write_count(json, "delivered_confirmed", r->delivered);
    write_count(json, "handed_off", r->handed_off);
    write_count(json, "delay_open", r->delay_open);
    write_count(json, "delayed", r->delayed);
    json_out_name(json, "delivered_presumed");
    if (r->has_sent && r->sent >= reported(r))
        json_out_int(json, r->sent - reported(r));
    else
        json_out_null(json);
    write_count(json, "complained", r->complained);
    json_out_object_end(json);
}

void rates_write(struct json_out *json, const struct rates *rates)
{
    const struct rates *r = rates;
    /* Fewer sent than reported: the denominator is wrong, so no rate is right. */
    bool usable = r->has_sent && r->sent >= reported(r) && r->sent >= r->delayed;
    int64_t without_failed = r->sent - r->failed;
    const int64_t *sent = r->has_sent ? &r->sent : NULL;
    const int64_t *reached = r->has_sent && without_failed >= 0 ? &without_failed : NULL;
    const struct {
        const char *name;
        int64_t numerator;
        const int64_t *denominator;
    } table[] = {
        {"failure_rate", r->failed, sent},
        {"hard_failure_rate", r->hard, sent},
        {"soft_failure_rate", r->soft, sent},
        {"block_failure_rate", r->block, sent},
        {"delivery_rate", r->has_sent ? without_failed - r->delay_open : 0, sent},
        {"delay_rate", r->delayed, sent},
        {"complaint_rate", r->complained, reached},
    };

    write_counts(json, r);
    json_out_name(json, "rates");
    json_out_object(json);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        json_out_name(json, table[i].name);
        json_out_object(json);
        write_members(json, table[i].numerator, table[i].denominator, usable);
        if (r->with_interval)
            write_interval(json, table[i].numerator, table[i].denominator, usable);
        json_out_object_end(json);
    }
    json_out_object_end(json);
}
