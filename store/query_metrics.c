#include "store/query_metrics.h"

#include <string.h>

#include "store/digest.h"
#include "store/query_run.h"

enum { TRIES_MAX = 4 };

static void add_texts(struct pg_params *params, const struct store_send *sends, size_t count,
                      size_t offset)
{
    pg_array_begin(params, PG_TEXT);
    for (size_t i = 0; i < count; i++) {
        struct dsnd_str value;

        memcpy(&value, (const char *)&sends[i] + offset, sizeof(value));
        pg_elem_octets(params, value);
    }
    pg_array_end(params);
}

static void add_recipient_keys(struct pg_params *params, const struct store_send *sends,
                               size_t count)
{
    pg_array_begin(params, PG_INT8);
    for (size_t i = 0; i < count; i++) {
        struct store_hash hash;
        enum dsnd_err err = DSND_OK;

        if (!dsnd_str_present(sends[i].recipient))
            pg_elem_null(params);
        else if ((err = store_address_hash(sends[i].recipient, &hash)) == DSND_OK)
            pg_elem_i64(params, store_hash_key(&hash));
        if (err)
            params->err = err;
    }
    pg_array_end(params);
}

static void add_sends(struct pg_params *params, const struct store_send *sends, size_t count)
{
    add_texts(params, sends, count, offsetof(struct store_send, campaign));
    add_texts(params, sends, count, offsetof(struct store_send, ref));
    add_texts(params, sends, count, offsetof(struct store_send, recipient));
    add_recipient_keys(params, sends, count);
    add_texts(params, sends, count, offsetof(struct store_send, message_id));
    add_texts(params, sends, count, offsetof(struct store_send, envelope_id));
    add_texts(params, sends, count, offsetof(struct store_send, provider));
    pg_array_begin(params, PG_TIMESTAMPTZ);
    for (size_t i = 0; i < count; i++)
        pg_elem_time(params, sends[i].sent_us);
    pg_array_end(params);
}

enum dsnd_err store_send_add(struct store_conn *conn, const struct store_send *sends, size_t count,
                             struct store_rows **ret_rows)
{
    struct pg_params campaigns;
    struct pg_params params;
    enum dsnd_err err = DSND_ERR_UNAVAILABLE;

    pg_params_init(&campaigns);
    pg_params_init(&params);
    add_texts(&campaigns, sends, count, offsetof(struct store_send, campaign));
    add_sends(&params, sends, count);
    /* Each statement is a transaction; a deadlock with the pipeline ends one of the two. */
    for (int i = 0; i < TRIES_MAX && err == DSND_ERR_UNAVAILABLE && !conn->broken; i++) {
        err = query_run(conn, STATEMENT_CAMPAIGN_ENSURE, &campaigns, NULL);
        if (!err)
            err = query_run(conn, STATEMENT_SEND_ADD, &params, ret_rows);
    }
    pg_params_done(&campaigns);
    pg_params_done(&params);
    return err;
}

enum { DIMS_NONE = 0, DIMS_PROVIDER = 1, DIMS_CLASS = 2, DIMS_BOTH = 3, DIMS_QUARTERS = 4 };

static int dims_of(const struct store_metrics_filter *filter)
{
    return (filter->by_provider ? DIMS_PROVIDER : 0) | (filter->by_class ? DIMS_CLASS : 0);
}

/* What total_roll has to tell apart for it. */
static int roll_dims(const struct store_metrics_filter *filter)
{
    return filter->whole_hours ? dims_of(filter) : DIMS_QUARTERS;
}

/* The smallest table that tells apart what is asked for. */
static enum statement choose(const struct store_metrics_filter *filter)
{
    int dims = dims_of(filter);
    bool one = dsnd_str_present(filter->campaign);
    bool each = filter->by_campaign;
    bool rolled = filter->whole_hours || dims == DIMS_NONE;

    if (filter->by_sent) {
        if (one)
            return STATEMENT_METRICS_SENT_CAMPAIGN;
        return each || !rolled ? STATEMENT_METRICS_SENT_EACH : STATEMENT_METRICS_ROLL_ALL;
    }
    if (filter->whole_hours && dims == DIMS_NONE && (one || each))
        return one ? STATEMENT_METRICS_ROLL_CAMPAIGN : STATEMENT_METRICS_ROLL_EACH;
    if (one || each)
        return one ? STATEMENT_METRICS_CAMPAIGN : STATEMENT_METRICS_EACH;
    return rolled && dims != DIMS_BOTH ? STATEMENT_METRICS_ROLL_ALL : STATEMENT_METRICS_ALL;
}

enum dsnd_err store_metrics(struct store_conn *conn, const struct store_metrics_filter *filter,
                            unsigned limit, struct store_rows **ret_rows)
{
    enum statement statement = choose(filter);
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, filter->from);
    pg_add_text(&params, filter->to);
    pg_add_i32(&params, (int32_t)filter->interval);
    pg_add_text(&params, filter->time_zone);
    pg_add_bool(&params, filter->by_provider);
    pg_add_bool(&params, filter->by_class);
    pg_add_bool(&params, filter->by_campaign);
    pg_add_i64(&params, limit);
    if (dsnd_str_present(filter->campaign))
        pg_add_text(&params, filter->campaign);
    if (statement == STATEMENT_METRICS_ROLL_ALL) {
        pg_add_i16(&params, filter->by_sent);
        pg_add_i16(&params, (int16_t)roll_dims(filter));
    }
    err = query_run(conn, statement, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_metrics_zone(struct store_conn *conn, struct store_metrics_filter *filter)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, filter->time_zone);
    pg_add_text(&params, filter->from);
    pg_add_text(&params, filter->to);
    err = query_run(conn, STATEMENT_TIME_ZONE_FIND, &params, &rows);
    if (!err)
        filter->whole_hours = dsnd_str_eq(store_rows_value(rows, 0, 0), DSND_STR("true"));
    store_rows_free(rows);
    pg_params_done(&params);
    return err == DSND_ERR_REFUSED ? DSND_ERR_NOT_FOUND : err;
}
