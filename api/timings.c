/*
 * How long things take: GET /v1/delays, the queues that are stuck now and how delays ended, and
 * GET /v1/campaigns/{key}/timings, how long failures and delays took by provider.
 */
#include <stddef.h>

#include "api/route.h"
#include "api/rows_out.h"
#include "store/query_campaign.h"
#include "store/query_timing.h"

static const struct field provider = {"provider", FIELD_STRING, NULL};
static const struct field oldest = {"oldest_at", FIELD_TIME, NULL};

static void write_value(struct json_out *json, const struct field *field,
                        const struct store_rows *rows, size_t row, size_t column)
{
    json_out_name(json, field->name);
    rows_out_value(json, field, store_rows_value(rows, row, column));
}

static void write_number(struct json_out *json, const char *name, const struct store_rows *rows,
                         size_t row, size_t column)
{
    const struct field field = {name, FIELD_NUMBER, NULL};

    write_value(json, &field, rows, row, column);
}

static void write_delay(struct json_out *json, const struct store_rows *rows, size_t row)
{
    write_value(json, &provider, rows, row, STORE_DELAY_PROVIDER);
    write_number(json, "open", rows, row, STORE_DELAY_OPEN);
    json_out_name(json, "ages");
    json_out_object(json);
    write_number(json, "under_1h", rows, row, STORE_DELAY_UNDER_1H);
    write_number(json, "under_6h", rows, row, STORE_DELAY_UNDER_6H);
    write_number(json, "under_1d", rows, row, STORE_DELAY_UNDER_1D);
    write_number(json, "older", rows, row, STORE_DELAY_OLDER);
    json_out_object_end(json);
    write_value(json, &oldest, rows, row, STORE_DELAY_OLDEST_AT);
    json_out_name(json, "closed");
    json_out_object(json);
    write_number(json, "delivered", rows, row, STORE_DELAY_DELIVERED);
    write_number(json, "handed_off", rows, row, STORE_DELAY_HANDED_OFF);
    write_number(json, "failed", rows, row, STORE_DELAY_FAILED);
    write_number(json, "expired", rows, row, STORE_DELAY_EXPIRED);
    json_out_object_end(json);
}

/* Three columns from `first` on: count, p50, p95. */
static void write_span(struct json_out *json, const char *name, const struct store_rows *rows,
                       size_t row, size_t first)
{
    json_out_name(json, name);
    json_out_object(json);
    write_number(json, "count", rows, row, first);
    write_number(json, "p50_s", rows, row, first + 1);
    write_number(json, "p95_s", rows, row, first + 2);
    json_out_object_end(json);
}

static void write_timing(struct json_out *json, const struct store_rows *rows, size_t row)
{
    write_value(json, &provider, rows, row, STORE_TIMING_PROVIDER);
    write_span(json, "time_to_failure", rows, row, STORE_TIMING_FAILURES);
    write_span(json, "time_delayed", rows, row, STORE_TIMING_DELAYS);
}

static enum dsnd_err write_list(struct request *request, const struct store_rows *rows,
                                void (*members)(struct json_out *json,
                                                const struct store_rows *rows, size_t row))
{
    struct json_out json;

    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "data");
    json_out_array(&json);
    for (size_t i = 0; i < store_rows_count(rows); i++) {
        json_out_object(&json);
        members(&json, rows, i);
        json_out_object_end(&json);
    }
    json_out_array_end(&json);
    json_out_name(&json, "next_cursor");
    json_out_null(&json);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

enum dsnd_err timings_delays(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {{"campaign", PARAM_KEY, 0, 0, 0, NULL}};
    struct dsnd_str campaign = DSND_STR_ABSENT;
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    if (!request_params(request, specs, 1, &campaign))
        return DSND_OK;
    err = store_delay_list(conn, campaign, &rows);
    if (!err)
        err = write_list(request, rows, write_delay);
    store_rows_free(rows);
    return err;
}

enum dsnd_err timings_campaign(struct request *request, struct store_conn *conn)
{
    struct store_rows *campaign = NULL;
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (!params_is_key(request->segment[0]))
        return DSND_ERR_NOT_FOUND;
    err = store_campaign_get(conn, request->segment[0], &campaign);
    if (!err)
        err = store_campaign_timings(conn, request->segment[0], &rows);
    if (!err)
        err = write_list(request, rows, write_timing);
    store_rows_free(campaign);
    store_rows_free(rows);
    return err;
}
