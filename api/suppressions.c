/*
 * /v1/suppressions: addresses that must not be mailed again.
 */
#include <jansson.h>
#include <stddef.h>

#include "api/json_in.h"
#include "api/list.h"
#include "api/names.h"
#include "api/route.h"
#include "base/clock.h"
#include "parse/report.h"
#include "store/codes.h"
#include "store/query_suppression.h"

enum { CHECK_MAX = 10000 };

static const struct field fields[STORE_SUPPRESSION_COLUMNS] = {
    [STORE_SUPPRESSION_HASH] = {NULL, FIELD_STRING, NULL},
    [STORE_SUPPRESSION_ADDRESS] = {"address", FIELD_STRING, NULL},
    [STORE_SUPPRESSION_CAMPAIGN] = {"campaign", FIELD_STRING, NULL},
    [STORE_SUPPRESSION_REF] = {"ref", FIELD_STRING, NULL},
    [STORE_SUPPRESSION_CLASS] = {"class", FIELD_NAME, names_class},
    [STORE_SUPPRESSION_EVIDENCE] = {"evidence", FIELD_NAME, names_evidence},
    [STORE_SUPPRESSION_SOURCE] = {"source", FIELD_NAME, names_suppression_source},
    [STORE_SUPPRESSION_PENDING] = {"pending", FIELD_BOOL, NULL},
    [STORE_SUPPRESSION_SINCE] = {"since", FIELD_TIME, NULL},
    [STORE_SUPPRESSION_EXPIRES_AT] = {"expires_at", FIELD_TIME, NULL},
    [STORE_SUPPRESSION_STATUS_IDS] = {"status_ids", FIELD_LIST, NULL},
    [STORE_SUPPRESSION_NOTE] = {"note", FIELD_STRING, NULL},
};

/* For third parties, who find whom they know already and learn nothing else. */
static const struct field hashed_fields[STORE_SUPPRESSION_COLUMNS] = {
    [STORE_SUPPRESSION_HASH] = {"address_sha256", FIELD_STRING, NULL},
    [STORE_SUPPRESSION_CLASS] = {"class", FIELD_NAME, names_class},
    [STORE_SUPPRESSION_SINCE] = {"since", FIELD_TIME, NULL},
    [STORE_SUPPRESSION_EXPIRES_AT] = {"expires_at", FIELD_TIME, NULL},
};

/* ---- list ---- */

struct query {
    struct list_params list;
    struct store_suppression_filter filter;
    int klass;
    int hashed;
};

static enum dsnd_err page(struct store_conn *conn, const void *filter, const struct cursor *after,
                          unsigned limit, struct store_rows **ret_rows)
{
    const struct query *query = filter;
    bool begun = after->count > 0;

    return store_suppression_list(conn, &query->filter, begun ? after->key[0] : DSND_STR_ABSENT,
                                  begun ? after->key[1] : DSND_STR_ABSENT, limit, ret_rows);
}

static const struct list_spec list_spec = {
    .name = "suppressions",
    .fields = fields,
    .field_count = STORE_SUPPRESSION_COLUMNS,
    .keys = {STORE_SUPPRESSION_SINCE, STORE_SUPPRESSION_HASH},
    .key_count = 2,
    .page = page,
};

static const struct list_spec hashed_spec = {
    .name = "suppressions",
    .fields = hashed_fields,
    .field_count = STORE_SUPPRESSION_COLUMNS,
    .keys = {STORE_SUPPRESSION_SINCE, STORE_SUPPRESSION_HASH},
    .key_count = 2,
    .page = page,
};

enum dsnd_err suppressions_list(struct request *request, struct store_conn *conn)
{
    static const char *const no_yes[] = {"no", "yes", NULL};
    static const struct param_spec specs[] = {
        LIST_PARAMS(struct query),
        {"campaign", PARAM_KEY, offsetof(struct query, filter.campaign), 0, 0, NULL},
        {"from", PARAM_TIME, offsetof(struct query, filter.from), 0, 0, NULL},
        {"to", PARAM_TIME, offsetof(struct query, filter.to), 0, 0, NULL},
        {"class", PARAM_CHOICE, offsetof(struct query, klass), 0, 0, names_classes},
        {"pending", PARAM_CHOICE, offsetof(struct query, filter.pending), 0, 0, no_yes},
        {"hashed", PARAM_CHOICE, offsetof(struct query, hashed), 0, 0, no_yes},
    };
    struct query *query = dsnd_arena_alloc(&request->arena, sizeof(*query));

    if (!query)
        return DSND_ERR_NOMEM;
    query->list = (struct list_params)LIST_PARAMS_INIT;
    query->klass = -1;
    query->hashed = 0;
    query->filter.pending = -1;
    if (!request_params(request, specs, sizeof(specs) / sizeof(*specs), query))
        return DSND_OK;
    query->filter.klass = names_class_number(query->klass);
    query->filter.hashed = query->hashed == 1;
    if (query->filter.hashed && query->filter.pending < 0)
        query->filter.pending = 0; /* what is held suppresses nobody */
    return list_answer(request, conn, query->filter.hashed ? &hashed_spec : &list_spec,
                       &query->list, query);
}

/* ---- one ---- */

static bool address_is_good(struct request *request)
{
    if (params_is_address(request->segment[0]))
        return true;
    request_problem(request, 400, "address", "address must be a mail address");
    return false;
}

static enum dsnd_err write_one(struct request *request, struct store_rows *rows)
{
    struct json_out json;

    request_json(request, 200, &json);
    rows_out_json(&json, fields, STORE_SUPPRESSION_COLUMNS, rows, 0);
    store_rows_free(rows);
    return request_json_end(request, &json);
}

enum dsnd_err suppressions_get(struct request *request, struct store_conn *conn)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL) || !address_is_good(request))
        return DSND_OK;
    err = store_suppression_get(conn, request->segment[0], &rows);
    return err ? err : write_one(request, rows);
}

struct put_body {
    struct dsnd_str klass;
    struct dsnd_str note;
    int64_t expires_us;
};

static enum dsnd_err put(struct request *request, struct store_conn *conn, json_t *object)
{
    static const struct member_spec specs[] = {
        {"class", MEMBER_STRING, offsetof(struct put_body, klass), SIZE_MAX, 64},
        {"note", MEMBER_STRING, offsetof(struct put_body, note), SIZE_MAX,
         STORE_SUPPRESSION_NOTE_MAX},
        {"expires_at", MEMBER_TIME, offsetof(struct put_body, expires_us), SIZE_MAX, 0},
    };
    struct put_body body = {.expires_us = -1};
    enum report_class klass = REPORT_CLASS_NONE;
    struct store_suppression entry = {.address = request->segment[0]};
    struct params_error error;
    char expires[DSND_RFC3339_SIZE];
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    if (json_in_members(object, specs, sizeof(specs) / sizeof(*specs), &body, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    if (dsnd_str_present(body.klass) && report_class_from(body.klass, &klass)) {
        request_problem(request, 400, "class", "class must be the name of a class");
        return DSND_OK;
    }
    if (body.expires_us >= 0) {
        if (body.expires_us <= dsnd_clock_now_us()) {
            request_problem(request, 400, "expires_at", "expires_at must lie in the future");
            return DSND_OK;
        }
        dsnd_clock_format(body.expires_us, expires);
        entry.expires_at = dsnd_str_of(expires);
    }
    entry.klass = (int)klass;
    entry.note = body.note;
    err = store_suppression_set(conn, &entry, STORE_SUPPRESSION_API, &rows);
    return err ? err : write_one(request, rows);
}

enum dsnd_err suppressions_put(struct request *request, struct store_conn *conn)
{
    struct params_error error;
    json_t *object = NULL;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    /* What was put before, or came with a report, can be read and lifted whatever it is. */
    if (!json_in_is_address(request->segment[0])) {
        request_problem(request, 400, "address", "address must be a mail address alone");
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

enum dsnd_err suppressions_delete(struct request *request, struct store_conn *conn)
{
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL) || !address_is_good(request))
        return DSND_OK;
    err = store_suppression_lift(conn, request->segment[0], STORE_SUPPRESSION_API, DSND_STR_ABSENT);
    if (!err)
        request_empty(request, 204);
    return err;
}

/* ---- check ---- */

static bool read_addresses(struct request *request, json_t *array, struct dsnd_str *ret_addresses)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct dsnd_str address = json_in_str(json_array_get(array, i));

        /* Whoever asks for "<a@b.example>" and hears "not suppressed" will mail a@b.example. */
        if (!json_in_is_address(address)) {
            request_problem(request, 400, "addresses",
                            "addresses[%zu] must be a mail address alone, of at most 1,000 octets",
                            i);
            return false;
        }
        ret_addresses[i] = address;
    }
    return true;
}

static enum dsnd_err write_check(struct request *request, const struct dsnd_str *addresses,
                                 const struct store_rows *rows)
{
    static const struct field columns[] = {
        [STORE_CHECK_SUPPRESSED] = {"suppressed", FIELD_BOOL, NULL},
        [STORE_CHECK_CLASS] = {"class", FIELD_NAME, names_class},
        [STORE_CHECK_SINCE] = {"since", FIELD_TIME, NULL},
        [STORE_CHECK_EXPIRES_AT] = {"expires_at", FIELD_TIME, NULL},
    };
    struct json_out json;

    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "data");
    json_out_array(&json);
    for (size_t i = 0; i < store_rows_count(rows); i++) {
        json_out_object(&json);
        json_out_name(&json, "address");
        json_out_str(&json, addresses[i]);
        rows_out_members(&json, columns, sizeof(columns) / sizeof(*columns), rows, i);
        json_out_object_end(&json);
    }
    json_out_array_end(&json);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

static enum dsnd_err check(struct request *request, struct store_conn *conn, json_t *object)
{
    static const struct member_spec specs[] = {{"addresses", MEMBER_ARRAY, 0, SIZE_MAX, CHECK_MAX}};
    struct store_rows *rows = NULL;
    struct dsnd_str *addresses;
    json_t *array = NULL;
    struct params_error error;
    enum dsnd_err err;

    if (json_in_members(object, specs, 1, &array, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    if (!array) {
        request_problem(request, 400, "addresses", "addresses is missing");
        return DSND_OK;
    }
    addresses = dsnd_arena_array(&request->arena, json_array_size(array) + 1, sizeof(*addresses));
    if (!addresses)
        return DSND_ERR_NOMEM;
    if (!read_addresses(request, array, addresses))
        return DSND_OK;
    err = store_suppression_check(conn, addresses, json_array_size(array), &rows);
    if (!err)
        err = write_check(request, addresses, rows);
    store_rows_free(rows);
    return err;
}

enum dsnd_err suppressions_check(struct request *request, struct store_conn *conn)
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
    err = check(request, conn, object);
    json_decref(object);
    return err;
}
