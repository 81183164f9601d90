/*
 * GET /v1/metrics: counts and rates over time, for dashboards.
 */
#include "api/metrics_filter.h"
#include "api/names.h"
#include "api/rates.h"
#include "api/route.h"
#include "api/rows_out.h"

enum { SERIES_MAX = 50000 };

/* As CSV prints them; JSON has the same values in another form. */
static const struct field fields[STORE_METRICS_COLUMNS] = {
    [STORE_METRICS_T] = {"t", FIELD_TIME, NULL},
    [STORE_METRICS_PROVIDER] = {"provider", FIELD_STRING, NULL},
    [STORE_METRICS_CLASS] = {"class", FIELD_NAME, names_class},
    [STORE_METRICS_CAMPAIGN] = {"campaign", FIELD_STRING, NULL},
    [STORE_METRICS_SENT] = {"sent", FIELD_NUMBER, NULL},
    [STORE_METRICS_FAILED] = {"failed", FIELD_NUMBER, NULL},
    [STORE_METRICS_HARD] = {"hard", FIELD_NUMBER, NULL},
    [STORE_METRICS_SOFT] = {"soft", FIELD_NUMBER, NULL},
    [STORE_METRICS_BLOCK] = {"block", FIELD_NUMBER, NULL},
    [STORE_METRICS_DELIVERED] = {"delivered_confirmed", FIELD_NUMBER, NULL},
    [STORE_METRICS_HANDED_OFF] = {"handed_off", FIELD_NUMBER, NULL},
    [STORE_METRICS_DELAY_OPEN] = {"delay_open", FIELD_NUMBER, NULL},
    [STORE_METRICS_DELAYED] = {"delayed", FIELD_NUMBER, NULL},
    [STORE_METRICS_COMPLAINED] = {"complained", FIELD_NUMBER, NULL},
    [STORE_METRICS_STATUSES] = {"statuses", FIELD_NUMBER, NULL},
    [STORE_METRICS_PROVEN] = {"proven", FIELD_NUMBER, NULL},
};

static struct rates rates_of(const struct store_rows *rows, size_t row, bool with_interval)
{
    int64_t sent = store_rows_int(rows, row, STORE_METRICS_SENT);

    return (struct rates){
        .with_interval = with_interval,
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

static void write_point(struct json_out *json, const struct metrics_query *query,
                        const struct store_rows *rows, size_t row)
{
    struct rates rates = rates_of(rows, row, query->confidence >= 0);

    json_out_object(json);
    json_out_name(json, "t");
    rows_out_value(json, &fields[STORE_METRICS_T], store_rows_value(rows, row, STORE_METRICS_T));
    write_dims(json, &query->filter, rows, row);
    json_out_name(json, "sent");
    if (rates.has_sent)
        json_out_int(json, rates.sent);
    else
        json_out_null(json);
    rates_write(json, &rates);
    if (query->filter.by_sent) { /* records are counted by the time of the report only */
        json_out_name(json, "coverage");
        json_out_null(json);
    } else {
        rates_write_one(json, "coverage", rates.proven, &rates.statuses, true);
    }
    json_out_object_end(json);
}

static void write_points(struct json_out *json, const char *name, const struct metrics_query *query,
                         const struct store_rows *rows)
{
    json_out_name(json, name);
    json_out_array(json);
    for (size_t i = 0; i < store_rows_count(rows); i++)
        write_point(json, query, rows, i);
    json_out_array_end(json);
}

/* What was asked for; members that were not stay NULL. */
struct answer {
    struct store_rows *rows;
    struct store_rows *previous;
    struct store_rows *undated; /* sent at a time that is not known */
};

static enum dsnd_err write_json(struct request *request, const struct metrics_query *query,
                                const struct answer *answer)
{
    struct json_out json;

    request_json(request, 200, &json);
    json_out_object(&json);
    write_points(&json, "data", query, answer->rows);
    if (answer->previous)
        write_points(&json, "previous", query, answer->previous);
    if (answer->undated)
        write_points(&json, "undated", query, answer->undated);
    json_out_name(&json, "next_cursor");
    json_out_null(&json);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

static enum dsnd_err write_lines(struct request *request, const struct metrics_query *query,
                                 const struct store_rows *rows)
{
    bool csv = query->format == REQUEST_CSV;
    struct dsnd_buf *out = &request->out;
    struct json_out json;
    enum dsnd_err err = csv ? rows_out_csv_head(out, fields, STORE_METRICS_COLUMNS) : DSND_OK;

    for (size_t i = 0; i < store_rows_count(rows) && !err; i++) {
        if (csv) {
            err = rows_out_csv(out, fields, STORE_METRICS_COLUMNS, rows, i);
            continue;
        }
        json_out_init(&json, out);
        write_point(&json, query, rows, i);
        err = json.err ? json.err : dsnd_buf_add_char(out, '\n');
    }
    request->status = 200;
    request->content_type =
        csv ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson";
    return err;
}

/* One row too many tells that there are more than may be. */
static enum dsnd_err load(struct store_conn *conn, const struct store_metrics_filter *filter,
                          struct store_rows **ret_rows, bool *ret_all)
{
    enum dsnd_err err = store_metrics(conn, filter, SERIES_MAX + 1, ret_rows);

    *ret_all = *ret_all && store_rows_count(*ret_rows) <= SERIES_MAX;
    return err;
}

static enum dsnd_err load_all(struct store_conn *conn, const struct metrics_query *query,
                              struct answer *answer, bool *ret_all)
{
    struct store_metrics_filter undated = query->filter;
    enum dsnd_err err = load(conn, &query->filter, &answer->rows, ret_all);

    undated.from = STORE_METRICS_UNDATED_FROM;
    undated.to = STORE_METRICS_UNDATED_TO;
    undated.interval = STORE_INTERVAL_NONE;
    if (!err && query->compare >= 0)
        err = load(conn, &query->previous, &answer->previous, ret_all);
    if (!err && query->filter.by_sent && query->format == REQUEST_JSON)
        err = load(conn, &undated, &answer->undated, ret_all);
    return err;
}

enum dsnd_err metrics_get_series(struct request *request, struct store_conn *conn)
{
    struct metrics_query query;
    struct answer answer = {NULL, NULL, NULL};
    bool good = false;
    enum dsnd_err err = metrics_filter_read(request, conn, &query, &good);

    if (err || !good)
        return err;
    err = load_all(conn, &query, &answer, &good);
    if (!err && !good)
        request_problem(request, 400, "from", "there are too many points; ask for less time");
    else if (!err && query.format == REQUEST_JSON)
        err = write_json(request, &query, &answer);
    else if (!err)
        err = write_lines(request, &query, answer.rows);
    store_rows_free(answer.rows);
    store_rows_free(answer.previous);
    store_rows_free(answer.undated);
    return err;
}
