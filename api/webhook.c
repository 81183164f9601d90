/*
 * /v1/webhooks/{id}: one endpoint: what it is and was told, and what can be done with it.
 */
#include <jansson.h>
#include <stddef.h>

#include "api/json_in.h"
#include "api/list.h"
#include "api/route.h"
#include "api/webhooks.h"
#include "hook/signature.h"
#include "store/query_webhook.h"

enum { OVERLAP_DEFAULT_S = 86400, OVERLAP_MAX_S = 30 * 86400 };

enum dsnd_err webhooks_id(const struct request *request, int64_t *ret_id)
{
    uint64_t id = 0;

    if (dsnd_str_to_u64(request->segment[0], INT64_MAX, &id))
        return DSND_ERR_NOT_FOUND;
    *ret_id = (int64_t)id;
    return DSND_OK;
}

static enum dsnd_err answer_one(struct request *request, struct store_conn *conn, int64_t id)
{
    struct store_rows *rows = NULL;
    struct json_out json;
    enum dsnd_err err = store_webhook_get(conn, id, &rows);

    if (err)
        return err;
    request_json(request, 200, &json);
    json_out_object(&json);
    webhooks_members(&json, rows, 0);
    json_out_object_end(&json);
    store_rows_free(rows);
    return request_json_end(request, &json);
}

enum dsnd_err webhooks_get(struct request *request, struct store_conn *conn)
{
    int64_t id = 0;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    err = webhooks_id(request, &id);
    return err ? err : answer_one(request, conn, id);
}

/* The body as an object, freed by the caller; NULL where the answer is made. */
static json_t *read_object(struct request *request)
{
    struct params_error error;
    json_t *object = NULL;

    if (!request_params(request, NULL, 0, NULL))
        return NULL;
    if (json_in_parse(dsnd_buf_str(&request->body), false, &object, &error)) {
        request_problem_of(request, 400, &error);
        return NULL;
    }
    return object;
}

struct change {
    struct dsnd_str url;
    json_t *events;
    bool enabled;
    bool enabled_given;
};

static enum dsnd_err change(struct request *request, struct store_conn *conn, json_t *object)
{
    static const struct member_spec specs[] = {
        {"url", MEMBER_STRING, offsetof(struct change, url), SIZE_MAX, WEBHOOKS_URL_MAX},
        {"events", MEMBER_ARRAY, offsetof(struct change, events), SIZE_MAX, WEBHOOKS_EVENT_COUNT},
        {"enabled", MEMBER_BOOL, offsetof(struct change, enabled),
         offsetof(struct change, enabled_given), 0},
    };
    struct change body = {.url = DSND_STR_ABSENT};
    struct store_webhook_change wanted = {.events = 0};
    struct params_error error;
    int64_t id = 0;
    enum dsnd_err err;

    if (json_in_members(object, specs, sizeof(specs) / sizeof(*specs), &body, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    if (dsnd_str_present(body.url) && !webhooks_check_url(request, body.url))
        return DSND_OK;
    if (body.events && !webhooks_read_events(request, body.events, &wanted.events))
        return DSND_OK;
    wanted.url = body.url;
    wanted.enabled = body.enabled_given ? body.enabled : -1;
    err = webhooks_id(request, &id);
    if (!err)
        err = store_webhook_set(conn, id, &wanted);
    return err ? err : answer_one(request, conn, id);
}

enum dsnd_err webhooks_put(struct request *request, struct store_conn *conn)
{
    json_t *object = read_object(request);
    enum dsnd_err err = object ? change(request, conn, object) : DSND_OK;

    json_decref(object);
    return err;
}

enum dsnd_err webhooks_delete(struct request *request, struct store_conn *conn)
{
    int64_t id = 0;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    err = webhooks_id(request, &id);
    if (!err)
        err = store_webhook_remove(conn, id);
    if (!err)
        request_empty(request, 204);
    return err;
}

enum dsnd_err webhooks_replay(struct request *request, struct store_conn *conn)
{
    struct json_out json;
    int64_t id = 0;
    int64_t count = 0;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    err = webhooks_id(request, &id);
    if (!err)
        err = store_webhook_replay(conn, id, &count);
    if (err)
        return err;
    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "events");
    json_out_int(&json, count);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

static enum dsnd_err answer_secret(struct request *request, const struct store_rows *rows,
                                   const char *secret)
{
    static const struct field fields[] = {{"id", FIELD_NUMBER, NULL},
                                          {"old_secret_expires_at", FIELD_TIME, NULL}};
    struct json_out json;

    request_json(request, 200, &json);
    json_out_object(&json);
    rows_out_members(&json, fields, 2, rows, 0);
    json_out_name(&json, "secret");
    json_out_str(&json, dsnd_str_of(secret));
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

static enum dsnd_err rotate(struct request *request, struct store_conn *conn, json_t *object)
{
    static const struct member_spec specs[] = {
        {"overlap_s", MEMBER_COUNT, 0, SIZE_MAX, OVERLAP_MAX_S},
    };
    int64_t overlap_s = OVERLAP_DEFAULT_S;
    struct store_rows *rows = NULL;
    struct params_error error;
    char secret[HOOK_SECRET_SIZE];
    int64_t id = 0;
    enum dsnd_err err;

    if (json_in_members(object, specs, 1, &overlap_s, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    err = webhooks_id(request, &id);
    if (!err)
        err = hook_secret_new(secret);
    if (!err)
        err = store_webhook_rotate(conn, id, dsnd_str_of(secret), overlap_s, &rows);
    if (!err)
        err = answer_secret(request, rows, secret);
    store_rows_free(rows);
    return err;
}

enum dsnd_err webhooks_rotate(struct request *request, struct store_conn *conn)
{
    json_t *object = read_object(request);
    enum dsnd_err err = object ? rotate(request, conn, object) : DSND_OK;

    json_decref(object);
    return err;
}

enum dsnd_err webhooks_test(struct request *request, struct store_conn *conn)
{
    struct store_rows *rows = NULL;
    struct json_out json;
    int64_t id = 0;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    err = webhooks_id(request, &id);
    if (!err)
        err = store_webhook_try(conn, id, &rows);
    if (err)
        return err;
    if (store_rows_value(rows, 0, 0).len == 0) {
        request_problem(request, 409, NULL, "the endpoint is off: PUT {\"enabled\":true} first");
        store_rows_free(rows);
        return DSND_OK;
    }
    request_json(request, 202, &json);
    json_out_object(&json);
    json_out_name(&json, "event");
    json_out_str(&json, store_rows_value(rows, 0, 0));
    json_out_object_end(&json);
    store_rows_free(rows);
    return request_json_end(request, &json);
}

/* ---- the log of attempts ---- */

static const struct field attempt_fields[STORE_ATTEMPT_COLUMNS] = {
    [STORE_ATTEMPT_NUMBER] = {"attempt", FIELD_NUMBER, NULL},
    [STORE_ATTEMPT_AT] = {"at", FIELD_TIME, NULL},
    [STORE_ATTEMPT_TAKEN] = {"taken", FIELD_BOOL, NULL},
    [STORE_ATTEMPT_MESSAGE] = {"message_id", FIELD_STRING, NULL},
    [STORE_ATTEMPT_EVENTS] = {"events", FIELD_JSON, NULL},
    [STORE_ATTEMPT_OCTETS] = {"octets", FIELD_NUMBER, NULL},
    [STORE_ATTEMPT_STATUS] = {"status", FIELD_NUMBER, NULL},
    [STORE_ATTEMPT_DURATION_MS] = {"duration_ms", FIELD_NUMBER, NULL},
    [STORE_ATTEMPT_ERROR] = {"error", FIELD_STRING, NULL},
};

struct query {
    struct list_params list;
    int64_t webhook;
};

static enum dsnd_err page(struct store_conn *conn, const void *filter, const struct cursor *after,
                          unsigned limit, struct store_rows **ret_rows)
{
    const struct query *query = filter;

    return store_webhook_deliveries(
        conn, query->webhook, after->count > 0 ? after->key[0] : DSND_STR_ABSENT, limit, ret_rows);
}

static const struct list_spec list_spec = {
    .name = "deliveries",
    .fields = attempt_fields,
    .field_count = STORE_ATTEMPT_COLUMNS,
    .keys = {STORE_ATTEMPT_NUMBER},
    .key_count = 1,
    .page = page,
};

enum dsnd_err webhooks_deliveries(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {LIST_PARAMS(struct query)};
    struct query *query = dsnd_arena_alloc(&request->arena, sizeof(*query));
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    if (!query)
        return DSND_ERR_NOMEM;
    query->list = (struct list_params)LIST_PARAMS_INIT;
    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), query))
        return DSND_OK;
    err = webhooks_id(request, &query->webhook);
    if (!err)
        err = store_webhook_get(conn, query->webhook, &rows);
    store_rows_free(rows);
    return err ? err : list_answer(request, conn, &list_spec, &query->list, query);
}
