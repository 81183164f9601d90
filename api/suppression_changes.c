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

/* A number ahead of the newest was given before the database was put back to an earlier time: who
 * went on from it would miss what gets the numbers up to it anew. */
static enum dsnd_err refuse_ahead(struct request *request, struct store_conn *conn, int64_t after,
                                  bool *ret_refused)
{
    int64_t newest = 0;
    enum dsnd_err err = store_suppression_clock(conn, &newest);

    *ret_refused = !err && after > newest;
    if (*ret_refused)
        request_problem(request, 400, "after",
                        "after must be from 0 to %lld, the newest number; who was told another has "
                        "to begin anew from 0",
                        (long long)newest);
    return err;
}

/* Without a change: wait for one, or say that there is none. */
static enum dsnd_err answer_none(struct request *request, struct store_conn *conn,
                                 const struct query *query, const struct store_rows *rows)
{
    bool refused = false;
    enum dsnd_err err = refuse_ahead(request, conn, query->after, &refused);

    if (err || refused || request_wait(request, query->after, query->wait))
        return err;
    return write_changes(request, rows, query->after);
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
    if (!err && store_rows_count(rows) > 0)
        err = write_changes(request, rows, query.after);
    else if (!err)
        err = answer_none(request, conn, &query, rows);
    store_rows_free(rows);
    return err;
}
