/*
 * /v1/webhooks: endpoints that are told of events. What is done with one of them: webhook.c.
 */
#include "api/webhooks.h"

#include <stddef.h>

#include "api/json_in.h"
#include "api/list.h"
#include "api/route.h"
#include "hook/signature.h"
#include "store/query_webhook.h"

/* In the order of the bits of webhook.events. */
static const char *const event_names[WEBHOOKS_EVENT_COUNT] = {
    "delivery.failed",     "delivery.delayed", "delivery.delivered",
    "delivery.complained", "delay.closed",     "suppression.created",
    "suppression.lifted",  "incident.opened",  "incident.closed",
};

static const struct field fields[STORE_WEBHOOK_COLUMNS] = {
    [STORE_WEBHOOK_ID] = {"id", FIELD_NUMBER, NULL},
    [STORE_WEBHOOK_URL] = {"url", FIELD_STRING, NULL},
    [STORE_WEBHOOK_CREATED_AT] = {"created_at", FIELD_TIME, NULL},
    [STORE_WEBHOOK_WAITING] = {"waiting", FIELD_NUMBER, NULL},
    [STORE_WEBHOOK_DEAD] = {"dead", FIELD_NUMBER, NULL},
    [STORE_WEBHOOK_DELIVERED] = {"delivered", FIELD_NUMBER, NULL},
    [STORE_WEBHOOK_FAILURES] = {"failures", FIELD_NUMBER, NULL},
    [STORE_WEBHOOK_NEXT_AT] = {"next_at", FIELD_TIME, NULL},
    [STORE_WEBHOOK_LAST_AT] = {"last_at", FIELD_TIME, NULL},
    [STORE_WEBHOOK_LAST_STATUS] = {"last_status", FIELD_NUMBER, NULL},
    [STORE_WEBHOOK_LAST_ERROR] = {"last_error", FIELD_STRING, NULL},
    [STORE_WEBHOOK_ENABLED] = {"enabled", FIELD_BOOL, NULL},
    [STORE_WEBHOOK_DISABLED_REASON] = {"disabled_reason", FIELD_STRING, NULL},
    [STORE_WEBHOOK_OLD_SECRET_UNTIL] = {"old_secret_expires_at", FIELD_TIME, NULL},
};

void webhooks_events(struct json_out *json, int64_t events)
{
    json_out_name(json, "events");
    json_out_array(json);
    for (int i = 0; i < WEBHOOKS_EVENT_COUNT; i++)
        if (events >> i & 1)
            json_out_str(json, dsnd_str_of(event_names[i]));
    json_out_array_end(json);
}

void webhooks_members(struct json_out *json, const struct store_rows *rows, size_t row)
{
    rows_out_members(json, fields, STORE_WEBHOOK_COLUMNS, rows, row);
    webhooks_events(json, store_rows_int(rows, row, STORE_WEBHOOK_EVENTS));
}

struct query {
    struct list_params list;
};

static enum dsnd_err page(struct store_conn *conn, const void *filter, const struct cursor *after,
                          unsigned limit, struct store_rows **ret_rows)
{
    (void)filter;
    return store_webhook_list(conn, after->count > 0 ? after->key[0] : DSND_STR_ABSENT, limit,
                              ret_rows);
}

static const struct list_spec list_spec = {
    .name = "webhooks",
    .fields = fields,
    .field_count = STORE_WEBHOOK_COLUMNS,
    .keys = {STORE_WEBHOOK_ID},
    .key_count = 1,
    .page = page,
    .members = webhooks_members,
};

enum dsnd_err webhooks_list(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {LIST_PARAMS(struct query)};
    struct query query = {.list = LIST_PARAMS_INIT};

    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), &query))
        return DSND_OK;
    return list_answer(request, conn, &list_spec, &query.list, NULL);
}

struct body {
    struct dsnd_str url;
    json_t *events;
};

static bool is_url(struct dsnd_str url)
{
    size_t scheme = dsnd_str_istarts(url, DSND_STR("https://"))  ? 8
                    : dsnd_str_istarts(url, DSND_STR("http://")) ? 7
                                                                 : 0;

    if (scheme == 0 || url.len == scheme || url.ptr[scheme] == '/')
        return false;
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= ' ' || url.ptr[i] > '~')
            return false;
    /* A name and password would show in lists. */
    return dsnd_str_chr(dsnd_str_slice(url, scheme, url.len), '@') == SIZE_MAX;
}

static int event_bit(const json_t *name)
{
    for (int i = 0; i < WEBHOOKS_EVENT_COUNT; i++)
        if (dsnd_str_eq(json_in_str(name), dsnd_str_of(event_names[i])))
            return i;
    return -1;
}

bool webhooks_check_url(struct request *request, struct dsnd_str url)
{
    if (is_url(url))
        return true;
    request_problem(request, 400, "url",
                    "url must be https://host/..., in ASCII and without a user name");
    return false;
}

bool webhooks_read_events(struct request *request, const json_t *list, int32_t *ret_events)
{
    int32_t events = 0;

    for (size_t i = 0; list && i < json_array_size(list); i++) {
        int bit = event_bit(json_array_get(list, i));

        if (bit < 0) {
            request_problem(request, 400, "events",
                            "events[%zu] is none of the events the description lists", i);
            return false;
        }
        events |= 1 << bit;
    }
    *ret_events = events ? events : STORE_WEBHOOK_EVENTS_ALL;
    return true;
}

static enum dsnd_err answer_new(struct request *request, int64_t id, const struct body *body,
                                int32_t events, const char *secret)
{
    struct json_out json;

    request_json(request, 201, &json);
    json_out_object(&json);
    json_out_name(&json, "id");
    json_out_int(&json, id);
    json_out_name(&json, "url");
    json_out_str(&json, body->url);
    webhooks_events(&json, events);
    json_out_name(&json, "secret");
    json_out_str(&json, dsnd_str_of(secret));
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

static enum dsnd_err add(struct request *request, struct store_conn *conn, json_t *object)
{
    static const struct member_spec specs[] = {
        {"url", MEMBER_STRING, offsetof(struct body, url), SIZE_MAX, WEBHOOKS_URL_MAX},
        {"events", MEMBER_ARRAY, offsetof(struct body, events), SIZE_MAX, WEBHOOKS_EVENT_COUNT},
    };
    struct body body = {DSND_STR_ABSENT, NULL};
    struct params_error error;
    char secret[HOOK_SECRET_SIZE];
    int32_t events = 0;
    int64_t id = 0;
    enum dsnd_err err;

    if (json_in_members(object, specs, 2, &body, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    if (!webhooks_check_url(request, body.url) ||
        !webhooks_read_events(request, body.events, &events))
        return DSND_OK;
    err = hook_secret_new(secret);
    if (!err)
        err = store_webhook_add(conn, body.url, events, dsnd_str_of(secret), &id);
    if (err == DSND_ERR_LIMIT) {
        request_problem(request, 400, NULL, "there are %d webhooks already; delete one",
                        STORE_WEBHOOKS_MAX);
        return DSND_OK;
    }
    return err ? err : answer_new(request, id, &body, events, secret);
}

enum dsnd_err webhooks_post(struct request *request, struct store_conn *conn)
{
    struct params_error error;
    json_t *object = NULL;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (json_in_parse(dsnd_buf_str(&request->body), false, &object, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    err = add(request, conn, object);
    json_decref(object);
    return err;
}
