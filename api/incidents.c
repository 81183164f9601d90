/*
 * /v1/incidents: a cause on the sender's side (reputation, authentication, content) for which a
 * provider refused mail, from its first record to its last.
 */
#include <stddef.h>

#include "api/list.h"
#include "api/names.h"
#include "api/route.h"
#include "store/query_incident.h"

/* The index is not the stored number. */
static const char *const states[] = {"closed", "open", NULL};

static const char *state_name(int number)
{
    return number == 0 || number == 1 ? states[number] : NULL;
}

static const struct field fields[STORE_INCIDENT_COLUMNS] = {
    [STORE_INCIDENT_ID] = {"id", FIELD_NUMBER, NULL},
    [STORE_INCIDENT_OPEN] = {"state", FIELD_NAME, state_name},
    [STORE_INCIDENT_PROVIDER] = {"provider", FIELD_STRING, NULL},
    [STORE_INCIDENT_SENDER] = {"sender", FIELD_STRING, NULL},
    [STORE_INCIDENT_CLASS] = {"class", FIELD_NAME, names_class},
    [STORE_INCIDENT_SIGNATURE] = {"signature", FIELD_STRING, NULL},
    [STORE_INCIDENT_SAMPLE] = {"sample", FIELD_STRING, NULL},
    [STORE_INCIDENT_RULE] = {"rule", FIELD_STRING, NULL},
    [STORE_INCIDENT_BLOCKLIST] = {"blocklist", FIELD_STRING, NULL},
    [STORE_INCIDENT_STARTED_AT] = {"started_at", FIELD_TIME, NULL},
    [STORE_INCIDENT_ENDED_AT] = {"ended_at", FIELD_TIME, NULL},
    [STORE_INCIDENT_LAST_AT] = {"last_at", FIELD_TIME, NULL},
    [STORE_INCIDENT_OPENED_AT] = {"opened_at", FIELD_TIME, NULL},
    [STORE_INCIDENT_CLOSED_AT] = {"closed_at", FIELD_TIME, NULL},
    [STORE_INCIDENT_RECORDS] = {"records", FIELD_NUMBER, NULL},
    [STORE_INCIDENT_PROVEN] = {"proven", FIELD_NUMBER, NULL},
    [STORE_INCIDENT_CAMPAIGNS] = {"campaigns", FIELD_NUMBER, NULL},
    [STORE_INCIDENT_STATUS_ID] = {"status_id", FIELD_NUMBER, NULL},
};

struct query {
    struct list_params list;
    struct store_incident_filter filter;
    int klass;
};

static enum dsnd_err page(struct store_conn *conn, const void *filter, const struct cursor *after,
                          unsigned limit, struct store_rows **ret_rows)
{
    const struct query *query = filter;
    struct dsnd_str before = after->count > 0 ? after->key[0] : DSND_STR_ABSENT;

    return store_incident_list(conn, &query->filter, before, limit, ret_rows);
}

static const struct list_spec list_spec = {
    .name = "incidents",
    .fields = fields,
    .field_count = STORE_INCIDENT_COLUMNS,
    .keys = {STORE_INCIDENT_ID},
    .key_count = 1,
    .page = page,
};

enum dsnd_err incidents_list(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {
        LIST_PARAMS(struct query),
        {"state", PARAM_CHOICE, offsetof(struct query, filter.open), 0, 0, states},
        {"provider", PARAM_STRING, offsetof(struct query, filter.provider), 0, 64, NULL},
        {"class", PARAM_CHOICE, offsetof(struct query, klass), 0, 0, names_classes},
        {"from", PARAM_TIME, offsetof(struct query, filter.from), 0, 0, NULL},
        {"to", PARAM_TIME, offsetof(struct query, filter.to), 0, 0, NULL},
    };
    struct query *query = dsnd_arena_alloc(&request->arena, sizeof(*query));

    if (!query)
        return DSND_ERR_NOMEM;
    *query = (struct query){.list = LIST_PARAMS_INIT, .filter = {.open = -1}, .klass = -1};
    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), query))
        return DSND_OK;
    query->filter.klass = names_class_number(query->klass);
    return list_answer(request, conn, &list_spec, &query->list, query);
}

static const struct field campaign_fields[] = {
    [STORE_INCIDENT_CAMPAIGN_KEY] = {"campaign", FIELD_STRING, NULL},
    [STORE_INCIDENT_CAMPAIGN_RECORDS] = {"records", FIELD_NUMBER, NULL},
};

static enum dsnd_err answer_one(struct request *request, const struct store_rows *incident,
                                const struct store_rows *campaigns)
{
    struct json_out json;

    request_json(request, 200, &json);
    json_out_object(&json);
    rows_out_members(&json, fields, STORE_INCIDENT_COLUMNS, incident, 0);
    json_out_name(&json, "by_campaign");
    json_out_array(&json);
    for (size_t i = 0; i < store_rows_count(campaigns); i++)
        rows_out_json(&json, campaign_fields, sizeof(campaign_fields) / sizeof(*campaign_fields),
                      campaigns, i);
    json_out_array_end(&json);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

enum dsnd_err incidents_get(struct request *request, struct store_conn *conn)
{
    struct store_rows *incident = NULL;
    struct store_rows *campaigns = NULL;
    uint64_t id = 0;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (dsnd_str_to_u64(request->segment[0], INT64_MAX, &id))
        return DSND_ERR_NOT_FOUND;
    err = store_incident_get(conn, (int64_t)id, &incident);
    if (!err)
        err = store_incident_campaigns(conn, (int64_t)id, &campaigns);
    if (!err)
        err = answer_one(request, incident, campaigns);
    store_rows_free(campaigns);
    store_rows_free(incident);
    return err;
}
