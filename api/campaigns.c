/*
 * /v1/campaigns: counts and rates of each mailing; name, tags and what was sent.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "api/json_in.h"
#include "api/list.h"
#include "api/names.h"
#include "api/rates.h"
#include "api/route.h"
#include "store/query_campaign.h"

enum { NAME_MAX_OCTETS = 200, TAGS_MAX = 50, TAG_MAX_OCTETS = 100 };

/* As CSV prints them; JSON has the same values in another form. */
static const struct field fields[STORE_CAMPAIGN_COLUMNS] = {
    [STORE_CAMPAIGN_ID] = {NULL, FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_KEY] = {"key", FIELD_STRING, NULL},
    [STORE_CAMPAIGN_NAME] = {"name", FIELD_STRING, NULL},
    [STORE_CAMPAIGN_TAGS] = {"tags", FIELD_JSON, NULL},
    [STORE_CAMPAIGN_CREATED_AT] = {"created_at", FIELD_TIME, NULL},
    [STORE_CAMPAIGN_DECLARED] = {"sent_declared", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_REGISTERED] = {"sent_registered", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_FAILED] = {"failed", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_HARD] = {"hard", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_SOFT] = {"soft", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_BLOCK] = {"block", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_DELIVERED] = {"delivered_confirmed", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_HANDED_OFF] = {"handed_off", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_DELAY_OPEN] = {"delay_open", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_DELAYED] = {"delayed", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_COMPLAINED] = {"complained", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_STATUSES] = {"statuses", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_PROVEN] = {"proven", FIELD_NUMBER, NULL},
    [STORE_CAMPAIGN_FIRST_REPORT_AT] = {"first_report_at", FIELD_TIME, NULL},
    [STORE_CAMPAIGN_LAST_REPORT_AT] = {"last_report_at", FIELD_TIME, NULL},
};

static void write_field(struct json_out *json, const struct store_rows *rows, size_t row,
                        enum store_campaign_column column)
{
    json_out_name(json, fields[column].name);
    rows_out_value(json, &fields[column], store_rows_value(rows, row, column));
}

static struct rates rates_of(const struct store_rows *rows, size_t row)
{
    bool declared = dsnd_str_present(store_rows_value(rows, row, STORE_CAMPAIGN_DECLARED));
    int64_t registered = store_rows_int(rows, row, STORE_CAMPAIGN_REGISTERED);

    return (struct rates){
        .has_sent = declared || registered > 0,
        .sent = declared ? store_rows_int(rows, row, STORE_CAMPAIGN_DECLARED) : registered,
        .failed = store_rows_int(rows, row, STORE_CAMPAIGN_FAILED),
        .hard = store_rows_int(rows, row, STORE_CAMPAIGN_HARD),
        .soft = store_rows_int(rows, row, STORE_CAMPAIGN_SOFT),
        .block = store_rows_int(rows, row, STORE_CAMPAIGN_BLOCK),
        .delivered = store_rows_int(rows, row, STORE_CAMPAIGN_DELIVERED),
        .handed_off = store_rows_int(rows, row, STORE_CAMPAIGN_HANDED_OFF),
        .delay_open = store_rows_int(rows, row, STORE_CAMPAIGN_DELAY_OPEN),
        .delayed = store_rows_int(rows, row, STORE_CAMPAIGN_DELAYED),
        .complained = store_rows_int(rows, row, STORE_CAMPAIGN_COMPLAINED),
        .statuses = store_rows_int(rows, row, STORE_CAMPAIGN_STATUSES),
        .proven = store_rows_int(rows, row, STORE_CAMPAIGN_PROVEN),
    };
}

/* Without a denominator the parts of what was reported can still be compared. */
static void write_shares(struct json_out *json, const struct rates *r)
{
    int64_t reported = r->failed + r->delivered + r->handed_off + r->delay_open;

    json_out_name(json, "shares");
    json_out_object(json);
    rates_write_one(json, "failed", r->failed, &reported, true);
    rates_write_one(json, "delivered_confirmed", r->delivered, &reported, true);
    rates_write_one(json, "handed_off", r->handed_off, &reported, true);
    rates_write_one(json, "delay_open", r->delay_open, &reported, true);
    json_out_object_end(json);
}

static void write_members(struct json_out *json, const struct store_rows *rows, size_t row)
{
    struct rates rates = rates_of(rows, row);

    write_field(json, rows, row, STORE_CAMPAIGN_KEY);
    write_field(json, rows, row, STORE_CAMPAIGN_NAME);
    write_field(json, rows, row, STORE_CAMPAIGN_TAGS);
    write_field(json, rows, row, STORE_CAMPAIGN_CREATED_AT);
    json_out_name(json, "sent");
    if (rates.has_sent)
        json_out_int(json, rates.sent);
    else
        json_out_null(json);
    json_out_name(json, "basis");
    json_out_str(json, rates.has_sent ? DSND_STR("sent") : DSND_STR("reported"));
    rates_write(json, &rates);
    if (!rates.has_sent)
        write_shares(json, &rates);
    rates_write_one(json, "coverage", rates.proven, &rates.statuses, true);
    write_field(json, rows, row, STORE_CAMPAIGN_FIRST_REPORT_AT);
    write_field(json, rows, row, STORE_CAMPAIGN_LAST_REPORT_AT);
}

/* ---- list ---- */

struct list_query {
    struct list_params list;
    struct store_campaign_filter filter;
};

static enum dsnd_err page(struct store_conn *conn, const void *filter, const struct cursor *after,
                          unsigned limit, struct store_rows **ret_rows)
{
    const struct list_query *query = filter;
    struct dsnd_str before = after->count > 0 ? after->key[0] : DSND_STR_ABSENT;

    return store_campaign_list(conn, &query->filter, before, limit, ret_rows);
}

static const struct list_spec list_spec = {
    .name = "campaigns",
    .fields = fields,
    .field_count = STORE_CAMPAIGN_COLUMNS,
    .keys = {STORE_CAMPAIGN_ID},
    .key_count = 1,
    .page = page,
    .members = write_members,
};

enum dsnd_err campaigns_list(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {
        LIST_PARAMS(struct list_query),
        {"tag", PARAM_STRING, offsetof(struct list_query, filter.tag), 0, TAG_MAX_OCTETS, NULL},
        {"from", PARAM_TIME, offsetof(struct list_query, filter.from), 0, 0, NULL},
        {"to", PARAM_TIME, offsetof(struct list_query, filter.to), 0, 0, NULL},
    };
    struct list_query *query = dsnd_arena_alloc(&request->arena, sizeof(*query));

    if (!query)
        return DSND_ERR_NOMEM;
    query->list = (struct list_params)LIST_PARAMS_INIT;
    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), query))
        return DSND_OK;
    return list_answer(request, conn, &list_spec, &query->list, query);
}

/* ---- one ---- */

static void write_classes(struct json_out *json, const struct store_rows *rows)
{
    json_out_name(json, "classes");
    json_out_object(json);
    for (size_t i = 0; i < store_rows_count(rows); i++) {
        const char *name = names_class((int)store_rows_int(rows, i, 0));

        json_out_name(json, name && name[0] ? name : "none");
        json_out_int(json, store_rows_int(rows, i, 1));
    }
    json_out_object_end(json);
}

static void write_provider(struct json_out *json, const struct store_rows *rows, size_t row)
{
    static const struct {
        const char *name;
        enum store_provider_column column;
    } counts[] = {
        {"failed", STORE_PROVIDER_FAILED},
        {"delivered_confirmed", STORE_PROVIDER_DELIVERED},
        {"handed_off", STORE_PROVIDER_HANDED_OFF},
        {"delay_open", STORE_PROVIDER_DELAY_OPEN},
        {"delayed", STORE_PROVIDER_DELAYED},
        {"complained", STORE_PROVIDER_COMPLAINED},
    };
    struct dsnd_str name = store_rows_value(rows, row, STORE_PROVIDER_NAME);

    json_out_name_str(json, name.len ? name : DSND_STR("unknown"));
    json_out_object(json);
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        json_out_name(json, counts[i].name);
        json_out_int(json, store_rows_int(rows, row, counts[i].column));
    }
    json_out_object_end(json);
}

static enum dsnd_err write_campaign(struct request *request, struct store_conn *conn, int status,
                                    struct dsnd_str key)
{
    struct store_rows *campaign = NULL;
    struct store_rows *classes = NULL;
    struct store_rows *providers = NULL;
    struct dsnd_str id;
    struct json_out json;
    enum dsnd_err err = store_campaign_get(conn, key, &campaign);

    if (err)
        goto out;
    id = store_rows_value(campaign, 0, STORE_CAMPAIGN_ID);
    err = store_campaign_classes(conn, id, &classes);
    if (!err)
        err = store_campaign_providers(conn, id, &providers);
    if (err)
        goto out;
    request_json(request, status, &json);
    json_out_object(&json);
    write_members(&json, campaign, 0);
    write_classes(&json, classes);
    json_out_name(&json, "providers");
    json_out_object(&json);
    for (size_t i = 0; i < store_rows_count(providers); i++)
        write_provider(&json, providers, i);
    json_out_object_end(&json);
    json_out_object_end(&json);
    err = request_json_end(request, &json);
out:
    store_rows_free(campaign);
    store_rows_free(classes);
    store_rows_free(providers);
    return err;
}

enum dsnd_err campaigns_get(struct request *request, struct store_conn *conn)
{
    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (!params_is_key(request->segment[0]))
        return DSND_ERR_NOT_FOUND;
    return write_campaign(request, conn, 200, request->segment[0]);
}

/* ---- put ---- */

struct put_body {
    bool name_given;
    bool tags_given;
    bool sent_given;
    struct dsnd_str name;
    json_t *tags;
    int64_t sent; /* -1: null */
};

static bool read_tags(struct request *request, json_t *array, struct dsnd_str *ret_tags)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        ret_tags[i] = json_in_str(json_array_get(array, i));
        if (ret_tags[i].len < 1 || ret_tags[i].len > TAG_MAX_OCTETS ||
            !json_in_is_plain(ret_tags[i])) {
            request_problem(request, 400, "tags",
                            "tags[%zu] must be a string of 1 to %d octets without control "
                            "characters",
                            i, (int)TAG_MAX_OCTETS);
            return false;
        }
    }
    return true;
}

static enum dsnd_err put(struct request *request, struct store_conn *conn, json_t *object)
{
    static const struct member_spec specs[] = {
        {"name", MEMBER_STRING, offsetof(struct put_body, name),
         offsetof(struct put_body, name_given), NAME_MAX_OCTETS},
        {"tags", MEMBER_ARRAY, offsetof(struct put_body, tags),
         offsetof(struct put_body, tags_given), TAGS_MAX},
        {"sent", MEMBER_COUNT, offsetof(struct put_body, sent),
         offsetof(struct put_body, sent_given), INT64_C(1000000000000)},
    };
    struct put_body body = {.sent = -1};
    struct store_campaign_change change = {0};
    struct dsnd_str tags[TAGS_MAX];
    struct params_error error;
    bool created = false;
    enum dsnd_err err;

    if (json_in_members(object, specs, sizeof(specs) / sizeof(*specs), &body, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    if (!read_tags(request, body.tags, tags))
        return DSND_OK;
    change.set_name = body.name_given;
    change.set_tags = body.tags_given;
    change.set_sent = body.sent_given;
    change.name = body.name;
    change.tags = tags;
    change.tag_count = json_array_size(body.tags);
    change.has_sent = body.sent >= 0;
    change.sent = body.sent;
    err = store_campaign_put(conn, request->segment[0], &change, &created);
    return err ? err : write_campaign(request, conn, created ? 201 : 200, request->segment[0]);
}

enum dsnd_err campaigns_put(struct request *request, struct store_conn *conn)
{
    struct params_error error;
    json_t *object = NULL;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (!params_is_key(request->segment[0])) {
        request_problem(request, 400, "key", "key must be 1 to 20 of a-z, 0-9, _ and -");
        return DSND_OK;
    }
    if (json_in_parse(dsnd_buf_str(&request->body), false, &object, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    err = put(request, conn, object);
    json_decref(object);
    return err;
}
