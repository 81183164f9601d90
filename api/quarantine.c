/*
 * /v1/quarantine: messages that were set aside, with their octets.
 */
#include <stddef.h>

#include "api/list.h"
#include "api/names.h"
#include "api/route.h"
#include "api/statuses.h"
#include "store/query_status.h"

static const struct field fields[STORE_QUARANTINE_COLUMNS] = {
    [STORE_QUARANTINE_ID] = {"id", FIELD_NUMBER, NULL},
    [STORE_QUARANTINE_RECEIVED_AT] = {"received_at", FIELD_TIME, NULL},
    [STORE_QUARANTINE_STORED_AT] = {"stored_at", FIELD_TIME, NULL},
    [STORE_QUARANTINE_REASON] = {"reason", FIELD_NAME, names_quarantine},
    [STORE_QUARANTINE_ERROR] = {"error", FIELD_STRING, NULL},
    [STORE_QUARANTINE_PEER] = {"peer", FIELD_STRING, NULL},
    [STORE_QUARANTINE_HELO] = {"helo", FIELD_STRING, NULL},
    [STORE_QUARANTINE_MAIL_FROM] = {"mail_from", FIELD_STRING, NULL},
    [STORE_QUARANTINE_ENVELOPE_TO] = {"envelope_to", FIELD_JSON, NULL},
    [STORE_QUARANTINE_OCTETS] = {"octets", FIELD_NUMBER, NULL},
    [STORE_QUARANTINE_REPLAYED_AT] = {"replayed_at", FIELD_TIME, NULL},
};

struct query {
    struct list_params list;
};

static enum dsnd_err page(struct store_conn *conn, const void *filter, const struct cursor *after,
                          unsigned limit, struct store_rows **ret_rows)
{
    (void)filter;
    return store_quarantine_list(conn, after->count > 0 ? after->key[0] : DSND_STR_ABSENT, limit,
                                 ret_rows);
}

static const struct list_spec list_spec = {
    .name = "quarantine",
    .fields = fields,
    .field_count = STORE_QUARANTINE_COLUMNS,
    .keys = {STORE_QUARANTINE_ID},
    .key_count = 1,
    .page = page,
};

enum dsnd_err quarantine_list(struct request *request, struct store_conn *conn)
{
    static const struct param_spec specs[] = {LIST_PARAMS(struct query)};
    struct query query = {.list = LIST_PARAMS_INIT};

    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), &query))
        return DSND_OK;
    return list_answer(request, conn, &list_spec, &query.list, NULL);
}

enum dsnd_err quarantine_get(struct request *request, struct store_conn *conn)
{
    struct store_rows *rows = NULL;
    struct json_out json;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (!statuses_is_id(request->segment[0]))
        return DSND_ERR_NOT_FOUND;
    err = store_quarantine_get(conn, request->segment[0], &rows);
    if (err)
        return err;
    request_json(request, 200, &json);
    rows_out_json(&json, fields, STORE_QUARANTINE_COLUMNS, rows, 0);
    store_rows_free(rows);
    return request_json_end(request, &json);
}

enum dsnd_err quarantine_raw(struct request *request, struct store_conn *conn)
{
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (!statuses_is_id(request->segment[0]))
        return DSND_ERR_NOT_FOUND;
    err = store_quarantine_raw(conn, request->segment[0], &request->out);
    if (err)
        return err;
    request->status = 200;
    request->content_type = "message/rfc822";
    request_add_header(request, "Content-Disposition", DSND_STR("attachment"));
    return DSND_OK;
}
