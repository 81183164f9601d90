/*
 * /v1/suppressions/changes: every change of the list in order, with a long poll: what other systems
 * mirror.
 */
#include <stddef.h>

#include "api/list.h"
#include "api/names.h"
#include "api/route.h"
#include "store/query_suppression.h"

enum { CHANGES_DEFAULT = 1000, CHANGES_MAX = 10000, WAIT_MAX_S = 30 };

static const struct field fields[STORE_CHANGE_COLUMNS] = {
    [STORE_CHANGE_SEQ] = {"seq", FIELD_NUMBER, NULL},
    [STORE_CHANGE_OP] = {"op", FIELD_NAME, names_suppression_op},
    [STORE_CHANGE_ADDRESS] = {"address", FIELD_STRING, NULL},
    [STORE_CHANGE_CAMPAIGN] = {"campaign", FIELD_STRING, NULL},
    [STORE_CHANGE_REF] = {"ref", FIELD_STRING, NULL},
    [STORE_CHANGE_CLASS] = {"class", FIELD_NAME, names_class},
    [STORE_CHANGE_AT] = {"at", FIELD_TIME, NULL},
    [STORE_CHANGE_EXPIRES_AT] = {"expires_at", FIELD_TIME, NULL},
    [STORE_CHANGE_SOURCE] = {"source", FIELD_NAME, names_suppression_source},
    [STORE_CHANGE_HASH] = {"address_sha256", FIELD_STRING, NULL},
    [STORE_CHANGE_NOTE] = {"note", FIELD_STRING, NULL},
};

struct query {
    int64_t after;
    int64_t limit;
    int64_t wait;
};

static enum dsnd_err write_changes(struct request *request, const struct store_rows *rows,
                                   int64_t after)
{
    size_t count = store_rows_count(rows);
    struct json_out json;

    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "data");
    json_out_array(&json);
    for (size_t i = 0; i < count; i++)
        rows_out_json(&json, fields, STORE_CHANGE_COLUMNS, rows, i);
    json_out_array_end(&json);
    json_out_name(&json, "next_after");
    json_out_int(&json, count ? store_rows_int(rows, count - 1, STORE_CHANGE_SEQ) : after);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

enum dsnd_err suppressions_changes(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {
        {"after", PARAM_COUNT, offsetof(struct query, after), 0, INT64_MAX, NULL},
        {"limit", PARAM_COUNT, offsetof(struct query, limit), 1, CHANGES_MAX, NULL},
        {"wait", PARAM_COUNT, offsetof(struct query, wait), 0, WAIT_MAX_S, NULL},
    };
    struct query query = {.limit = CHANGES_DEFAULT};
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), &query))
        return DSND_OK;
    err = store_suppression_changes(conn, query.after, (unsigned)query.limit, &rows);
    if (!err && (store_rows_count(rows) > 0 || !request_wait(request, query.after, query.wait)))
        err = write_changes(request, rows, query.after);
    store_rows_free(rows);
    return err;
}
