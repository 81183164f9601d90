/*
 * /v1/suppressions/held: suppressions that wait for a person, because one text made too many of a
 * provider's mail fail at once.
 */
#include <jansson.h>
#include <stddef.h>

#include "api/json_in.h"
#include "api/list.h"
#include "api/route.h"
#include "store/query_guard.h"

static const struct field fields[STORE_GUARD_COLUMNS] = {
    [STORE_GUARD_ID] = {"id", FIELD_NUMBER, NULL},
    [STORE_GUARD_CAMPAIGN] = {"campaign", FIELD_STRING, NULL},
    [STORE_GUARD_PROVIDER] = {"provider", FIELD_STRING, NULL},
    [STORE_GUARD_HOUR] = {"hour", FIELD_TIME, NULL},
    [STORE_GUARD_SIGNATURE] = {"signature", FIELD_STRING, NULL},
    [STORE_GUARD_FAILURES] = {"failures", FIELD_NUMBER, NULL},
    [STORE_GUARD_SENT] = {"sent", FIELD_NUMBER, NULL},
    [STORE_GUARD_HELD_AT] = {"held_at", FIELD_TIME, NULL},
    [STORE_GUARD_DECIDED_AT] = {"decided_at", FIELD_TIME, NULL},
    [STORE_GUARD_RELEASED] = {"released", FIELD_BOOL, NULL},
    [STORE_GUARD_PENDING] = {"pending", FIELD_NUMBER, NULL},
};

struct query {
    struct list_params list;
};

static enum dsnd_err page(struct store_conn *conn, const void *filter, const struct cursor *after,
                          unsigned limit, struct store_rows **ret_rows)
{
    (void)filter;
    return store_guard_list(conn, after->count > 0 ? after->key[0] : DSND_STR_ABSENT, limit,
                            ret_rows);
}

static const struct list_spec list_spec = {
    .name = "held",
    .fields = fields,
    .field_count = STORE_GUARD_COLUMNS,
    .keys = {STORE_GUARD_ID},
    .key_count = 1,
    .page = page,
};

enum dsnd_err suppressions_held(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {LIST_PARAMS(struct query)};
    struct query query = {.list = LIST_PARAMS_INIT};

    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), &query))
        return DSND_OK;
    return list_answer(request, conn, &list_spec, &query.list, NULL);
}

struct body {
    struct dsnd_str decision;
};

static enum dsnd_err decide(struct request *request, struct store_conn *conn, json_t *object)
{
    static const struct member_spec specs[] = {
        {"decision", MEMBER_STRING, offsetof(struct body, decision), SIZE_MAX, 16}};
    struct body body = {DSND_STR_ABSENT};
    struct params_error error;
    struct json_out json;
    uint64_t id = 0;
    int64_t count = 0;
    bool release;
    enum dsnd_err err;

    if (json_in_members(object, specs, 1, &body, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    release = dsnd_str_eq(body.decision, DSND_STR("release"));
    if (!release && !dsnd_str_eq(body.decision, DSND_STR("drop"))) {
        request_problem(request, 400, "decision", "decision must be release or drop");
        return DSND_OK;
    }
    if (dsnd_str_to_u64(request->segment[0], INT64_MAX, &id))
        return DSND_ERR_NOT_FOUND;
    err = store_guard_decide(conn, (int64_t)id, release, &count);
    if (err)
        return err;
    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "decision");
    json_out_str(&json, body.decision);
    json_out_name(&json, "entries");
    json_out_int(&json, count);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

enum dsnd_err suppressions_decide(struct request *request, struct store_conn *conn)
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
    err = decide(request, conn, object);
    json_decref(object);
    return err;
}
