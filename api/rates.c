#include "api/rates.h"

void rates_write_one(struct json_out *json, const char *name, int64_t numerator,
                     const int64_t *denominator, bool usable)
{
    json_out_name(json, name);
    json_out_object(json);
    json_out_name(json, "value");
    if (usable && denominator && *denominator > 0 && numerator >= 0 && numerator <= *denominator)
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

    write_counts(json, r);
    json_out_name(json, "rates");
    json_out_object(json);
    rates_write_one(json, "failure_rate", r->failed, sent, usable);
    rates_write_one(json, "hard_failure_rate", r->hard, sent, usable);
    rates_write_one(json, "soft_failure_rate", r->soft, sent, usable);
    rates_write_one(json, "block_failure_rate", r->block, sent, usable);
    rates_write_one(json, "delivery_rate", r->has_sent ? without_failed - r->delay_open : 0, sent,
                    usable);
    rates_write_one(json, "delay_rate", r->delayed, sent, usable);
    rates_write_one(json, "complaint_rate", r->complained, reached, usable);
    json_out_object_end(json);
}
