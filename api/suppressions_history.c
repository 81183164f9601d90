/*
 * /v1/suppressions/{address}/history: all that happened to one address, and who did it.
 */
#include <stddef.h>

#include "api/names.h"
#include "api/route.h"
#include "api/rows_out.h"
#include "store/query_policy.h"

static const struct field fields[STORE_HISTORY_COLUMNS] = {
    [STORE_HISTORY_AT] = {"at", FIELD_TIME, NULL},
    [STORE_HISTORY_OP] = {"op", FIELD_NAME, names_suppression_op},
    [STORE_HISTORY_CLASS] = {"class", FIELD_NAME, names_class},
    [STORE_HISTORY_SOURCE] = {"source", FIELD_NAME, names_suppression_source},
    [STORE_HISTORY_ACTOR] = {"actor", FIELD_STRING, NULL},
    [STORE_HISTORY_NOTE] = {"note", FIELD_STRING, NULL},
    [STORE_HISTORY_CAMPAIGN] = {"campaign", FIELD_STRING, NULL},
    [STORE_HISTORY_EXPIRES_AT] = {"expires_at", FIELD_TIME, NULL},
    [STORE_HISTORY_STATUS_IDS] = {"status_ids", FIELD_JSON, NULL},
    [STORE_HISTORY_SEQ] = {"seq", FIELD_NUMBER, NULL},
};

enum dsnd_err suppressions_history(struct request *request, struct store_conn *conn)
{
    struct store_rows *rows = NULL;
    struct json_out json;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (!params_is_address(request->segment[0])) {
        request_problem(request, 400, "address", "address must be a mail address");
        return DSND_OK;
    }
    err = store_suppression_history(conn, request->segment[0], &rows);
    if (err)
        return err;
    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "data");
    json_out_array(&json);
    for (size_t i = 0; i < store_rows_count(rows); i++)
        rows_out_json(&json, fields, STORE_HISTORY_COLUMNS, rows, i);
    json_out_array_end(&json);
    json_out_object_end(&json);
    store_rows_free(rows);
    return request_json_end(request, &json);
}
