/*
 * GET /v1/metrics: counts and rates over time, for dashboards.
 */
#include <stddef.h>
#include <string.h>

#include "api/names.h"
#include "api/rates.h"
#include "api/route.h"
#include "api/rows_out.h"
#include "base/clock.h"
#include "store/query_metrics.h"

enum { SERIES_MAX = 50000, DEFAULT_DAYS = 30, ZONE_MAX = 64 };

static const char *const intervals[] = {"hour", "day", "none", NULL};

struct query {
    struct store_metrics_filter filter;
    int interval;
    struct dsnd_str group_by;
};

static const struct field time_field = {"t", FIELD_TIME, NULL};

static bool read_groups(struct request *request, struct query *query)
{
    struct dsnd_str list = query->group_by;
    int count = 0;

    while (list.len > 0) {
        struct dsnd_str name = dsnd_str_cut(&list, ',');

        query->filter.by_provider |= dsnd_str_eq(name, DSND_STR("provider"));
        query->filter.by_class |= dsnd_str_eq(name, DSND_STR("class"));
        query->filter.by_campaign |= dsnd_str_eq(name, DSND_STR("campaign"));
        count++;
    }
    if (count == query->filter.by_provider + query->filter.by_class + query->filter.by_campaign &&
        count <= 2)
        return true;
    request_problem(request, 400, "group_by",
                    "group_by must be one or two of provider, class, campaign");
    return false;
}

/* IANA names have letters, digits, "_", "-", "+" and "/"; anything else is another kind of zone. */
static bool zone_has_form(struct dsnd_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (!dsnd_is_alpha(c) && !dsnd_is_digit(c) && c != '_' && c != '-' && c != '+' && c != '/')
            return false;
    }
    return dsnd_str_eq(name, DSND_STR("UTC")) || dsnd_str_chr(name, '/') != SIZE_MAX;
}

static enum dsnd_err check_zone(struct request *request, struct store_conn *conn,
                                struct dsnd_str zone, bool *ret_good)
{
    enum dsnd_err err = zone_has_form(zone) ? store_time_zone_find(conn, zone) : DSND_ERR_NOT_FOUND;

    *ret_good = err == DSND_OK;
    if (err != DSND_ERR_NOT_FOUND)
        return err;
    request_problem(request, 400, "tz", "tz must be UTC or an IANA name such as Europe/Berlin");
    return DSND_OK;
}

/* Without a campaign a series without a beginning would be all there is. */
static enum dsnd_err set_defaults(struct request *request, struct store_metrics_filter *filter)
{
    int64_t now = dsnd_clock_now_us();
    char *from = dsnd_arena_alloc(&request->arena, DSND_RFC3339_SIZE);
    char *to = dsnd_arena_alloc(&request->arena, DSND_RFC3339_SIZE);

    if (!from || !to)
        return DSND_ERR_NOMEM;
    dsnd_clock_format(dsnd_str_present(filter->campaign) ? 0 : now - DEFAULT_DAYS * DSND_US_PER_DAY,
                      from);
    dsnd_clock_format(now + DSND_US_PER_DAY, to);
    if (!dsnd_str_present(filter->from))
        filter->from = dsnd_str_of(from);
    if (!dsnd_str_present(filter->to))
        filter->to = dsnd_str_of(to);
    if (!dsnd_str_present(filter->time_zone))
        filter->time_zone = DSND_STR("UTC");
    return DSND_OK;
}

static struct rates rates_of(const struct store_rows *rows, size_t row)
{
    int64_t sent = store_rows_int(rows, row, STORE_METRICS_SENT);

    return (struct rates){
        .has_sent = sent > 0,
        .sent = sent,
        .failed = store_rows_int(rows, row, STORE_METRICS_FAILED),
        .hard = store_rows_int(rows, row, STORE_METRICS_HARD),
        .soft = store_rows_int(rows, row, STORE_METRICS_SOFT),
        .block = store_rows_int(rows, row, STORE_METRICS_BLOCK),
        .delivered = store_rows_int(rows, row, STORE_METRICS_DELIVERED),
        .handed_off = store_rows_int(rows, row, STORE_METRICS_HANDED_OFF),
        .delay_open = store_rows_int(rows, row, STORE_METRICS_DELAY_OPEN),
        .delayed = store_rows_int(rows, row, STORE_METRICS_DELAYED),
        .complained = store_rows_int(rows, row, STORE_METRICS_COMPLAINED),
        .statuses = store_rows_int(rows, row, STORE_METRICS_STATUSES),
        .proven = store_rows_int(rows, row, STORE_METRICS_PROVEN),
    };
}

static void write_dims(struct json_out *json, const struct store_metrics_filter *filter,
                       const struct store_rows *rows, size_t row)
{
    json_out_name(json, "dims");
    json_out_object(json);
    if (filter->by_campaign) {
        struct dsnd_str key = store_rows_value(rows, row, STORE_METRICS_CAMPAIGN);

        json_out_name(json, "campaign");
        json_out_str(json, key.len ? key : DSND_STR_ABSENT);
    }
    if (filter->by_provider) {
        json_out_name(json, "provider");
        json_out_str(json, store_rows_value(rows, row, STORE_METRICS_PROVIDER));
    }
    if (filter->by_class) {
        json_out_name(json, "class");
        json_out_str(json,
                     dsnd_str_of(names_class((int)store_rows_int(rows, row, STORE_METRICS_CLASS))));
    }
    json_out_object_end(json);
}

static enum dsnd_err write_series(struct request *request,
                                  const struct store_metrics_filter *filter,
                                  const struct store_rows *rows)
{
    struct json_out json;

    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "data");
    json_out_array(&json);
    for (size_t i = 0; i < store_rows_count(rows); i++) {
        struct rates rates = rates_of(rows, i);

        json_out_object(&json);
        json_out_name(&json, "t");
        rows_out_value(&json, &time_field, store_rows_value(rows, i, STORE_METRICS_T));
        write_dims(&json, filter, rows, i);
        json_out_name(&json, "sent");
        if (rates.has_sent)
            json_out_int(&json, rates.sent);
        else
            json_out_null(&json);
        rates_write(&json, &rates);
        rates_write_one(&json, "coverage", rates.proven, &rates.statuses, true);
        json_out_object_end(&json);
    }
    json_out_array_end(&json);
    json_out_name(&json, "next_cursor");
    json_out_null(&json);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

enum dsnd_err metrics_get_series(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {
        {"campaign", PARAM_KEY, offsetof(struct query, filter.campaign), 0, 0, NULL},
        {"from", PARAM_TIME, offsetof(struct query, filter.from), 0, 0, NULL},
        {"to", PARAM_TIME, offsetof(struct query, filter.to), 0, 0, NULL},
        {"tz", PARAM_STRING, offsetof(struct query, filter.time_zone), 0, ZONE_MAX, NULL},
        {"interval", PARAM_CHOICE, offsetof(struct query, interval), 0, 0, intervals},
        {"group_by", PARAM_STRING, offsetof(struct query, group_by), 0, 64, NULL},
    };
    struct query query = {.interval = STORE_INTERVAL_DAY};
    struct store_rows *rows = NULL;
    bool good = false;
    enum dsnd_err err;

    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), &query) ||
        !read_groups(request, &query))
        return DSND_OK;
    err = set_defaults(request, &query.filter);
    if (!err)
        err = check_zone(request, conn, query.filter.time_zone, &good);
    if (err || !good)
        return err;
    query.filter.interval = (enum store_interval)query.interval;
    err = store_metrics(conn, &query.filter, SERIES_MAX + 1, &rows);
    if (!err && store_rows_count(rows) > SERIES_MAX)
        request_problem(request, 400, "from", "there are too many points; ask for less time");
    else if (!err)
        err = write_series(request, &query.filter, rows);
    store_rows_free(rows);
    return err;
}
