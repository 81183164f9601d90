/*
 * /v1/statuses: what reports said of each recipient.
 */
#include <stddef.h>

#include "api/list.h"
#include "api/route.h"
#include "api/statuses.h"
#include "store/query_status.h"

#include "api/names.h"

const struct field statuses_fields[STORE_STATUS_COLUMNS] = {
    [STORE_STATUS_ID] = {"id", FIELD_NUMBER, NULL},
    [STORE_STATUS_REPORT_ID] = {"report_id", FIELD_NUMBER, NULL},
    [STORE_STATUS_CAMPAIGN] = {"campaign", FIELD_STRING, NULL},
    [STORE_STATUS_REF] = {"ref", FIELD_STRING, NULL},
    [STORE_STATUS_RECEIVED_AT] = {"received_at", FIELD_TIME, NULL},
    [STORE_STATUS_RECIPIENT] = {"recipient", FIELD_STRING, NULL},
    [STORE_STATUS_FINAL_RECIPIENT] = {"final_recipient", FIELD_STRING, NULL},
    [STORE_STATUS_ORIGINAL_RECIPIENT] = {"original_recipient", FIELD_STRING, NULL},
    [STORE_STATUS_PROVEN_RECIPIENT] = {"proven_recipient", FIELD_STRING, NULL},
    [STORE_STATUS_ACTION] = {"action", FIELD_NAME, names_action},
    [STORE_STATUS_STATUS] = {"status", FIELD_STRING, NULL},
    [STORE_STATUS_SMTP_CODE] = {"smtp_code", FIELD_NUMBER, NULL},
    [STORE_STATUS_SMTP_STATUS] = {"smtp_status", FIELD_STRING, NULL},
    [STORE_STATUS_CLASS] = {"class", FIELD_NAME, names_class},
    [STORE_STATUS_CAUSE] = {"cause", FIELD_NAME, names_class},
    [STORE_STATUS_PERMANENCE] = {"permanence", FIELD_NAME, names_permanence},
    [STORE_STATUS_FAULT] = {"fault", FIELD_NAME, names_fault},
    [STORE_STATUS_PROVIDER] = {"provider", FIELD_STRING, NULL},
    [STORE_STATUS_REMOTE_MTA] = {"remote_mta", FIELD_STRING, NULL},
    [STORE_STATUS_DIAGNOSTIC] = {"diagnostic", FIELD_STRING, NULL},
    [STORE_STATUS_WILL_RETRY_UNTIL] = {"will_retry_until", FIELD_STRING, NULL},
    [STORE_STATUS_RETRY_AFTER_S] = {"retry_after_s", FIELD_NUMBER, NULL},
    [STORE_STATUS_RULE] = {"rule", FIELD_STRING, NULL},
    [STORE_STATUS_MATCHED] = {"matched", FIELD_STRING, NULL},
    [STORE_STATUS_RULES_VERSION] = {"rules_version", FIELD_STRING, NULL},
    [STORE_STATUS_BLOCKLIST] = {"blocklist", FIELD_STRING, NULL},
    [STORE_STATUS_EVIDENCE] = {"evidence", FIELD_NAME, names_evidence},
};

struct query {
    struct list_params list;
    struct store_status_filter filter;
    int64_t incident; /* 0: any */
    int klass;
    int action;
};

static enum dsnd_err page(struct store_conn *conn, const void *filter, const struct cursor *after,
                          unsigned limit, struct store_rows **ret_rows)
{
    const struct query *query = filter;
    struct dsnd_str before = after->count > 0 ? after->key[0] : DSND_STR_ABSENT;

    return store_status_list(conn, &query->filter, before, limit, ret_rows);
}

static const struct list_spec list_spec = {
    .name = "statuses",
    .fields = statuses_fields,
    .field_count = STORE_STATUS_COLUMNS,
    .keys = {STORE_STATUS_ID},
    .key_count = 1,
    .page = page,
};

enum dsnd_err statuses_list(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {
        LIST_PARAMS(struct query),
        {"campaign", PARAM_KEY, offsetof(struct query, filter.campaign), 0, 0, NULL},
        {"recipient", PARAM_ADDRESS, offsetof(struct query, filter.recipient), 0, 0, NULL},
        {"incident", PARAM_COUNT, offsetof(struct query, incident), 1, INT64_MAX, NULL},
        {"provider", PARAM_STRING, offsetof(struct query, filter.provider), 0, 64, NULL},
        {"from", PARAM_TIME, offsetof(struct query, filter.from), 0, 0, NULL},
        {"to", PARAM_TIME, offsetof(struct query, filter.to), 0, 0, NULL},
        {"class", PARAM_CHOICE, offsetof(struct query, klass), 0, 0, names_classes},
        {"action", PARAM_CHOICE, offsetof(struct query, action), 0, 0, names_actions},
    };
    struct query *query = dsnd_arena_alloc(&request->arena, sizeof(*query));

    if (!query)
        return DSND_ERR_NOMEM;
    query->list = (struct list_params)LIST_PARAMS_INIT;
    query->klass = -1;
    query->action = -1;
    query->incident = 0;
    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), query))
        return DSND_OK;
    if (query->incident && dsnd_str_present(query->filter.recipient)) {
        request_problem(request, 400, "incident", "incident cannot be combined with recipient");
        return DSND_OK;
    }
    query->filter.incident = query->incident;
    query->filter.klass = names_class_number(query->klass);
    query->filter.action = names_action_number(query->action);
    return list_answer(request, conn, &list_spec, &query->list, query);
}

bool statuses_is_id(struct dsnd_str text)
{
    uint64_t id;

    return dsnd_str_to_u64(text, INT64_MAX, &id) == DSND_OK;
}

enum dsnd_err statuses_get(struct request *request, struct store_conn *conn)
{
    struct store_rows *rows = NULL;
    struct json_out json;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (!statuses_is_id(request->segment[0]))
        return DSND_ERR_NOT_FOUND;
    err = store_status_get(conn, request->segment[0], &rows);
    if (err)
        return err;
    request_json(request, 200, &json);
    rows_out_json(&json, statuses_fields, STORE_STATUS_COLUMNS, rows, 0);
    store_rows_free(rows);
    return request_json_end(request, &json);
}
