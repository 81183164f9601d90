/*
 * POST /v1/suppressions/undo: lift all that one cause has suppressed, such as an outage that
 * answered "no such user" for an hour.
 */
#include <jansson.h>
#include <stddef.h>

#include "api/json_in.h"
#include "api/route.h"
#include "base/clock.h"
#include "parse/report.h"
#include "store/query_incident.h"
#include "store/query_suppression.h"

enum { NAME_MAX_OCTETS = 128 };

struct body {
    struct dsnd_str klass;
    struct dsnd_str campaign;
    struct dsnd_str rule;
    struct dsnd_str provider;
    struct dsnd_str note;
    int64_t incident;
    int64_t from_us;
    int64_t to_us;
    bool dry_run;
};

/* False where the answer is made. */
static bool make_filter(struct request *request, const struct body *body,
                        struct store_undo_filter *ret_filter)
{
    enum report_class klass = REPORT_CLASS_NONE;

    *ret_filter = (struct store_undo_filter){.klass = -1,
                                             .campaign = body->campaign,
                                             .rule = body->rule,
                                             .provider = body->provider,
                                             .incident = body->incident < 0 ? 0 : body->incident};
    if (dsnd_str_present(body->klass)) {
        if (report_class_from(body->klass, &klass)) {
            request_problem(request, 400, "class", "class must be the name of a class");
            return false;
        }
        ret_filter->klass = (int)klass;
    }
    if (ret_filter->klass >= 0 || dsnd_str_present(body->campaign) ||
        dsnd_str_present(body->rule) || dsnd_str_present(body->provider) || body->incident >= 0 ||
        body->from_us >= 0 || body->to_us >= 0)
        return true;
    request_problem(
        request, 400, "body",
        "body must name a cause: class, campaign, rule, provider, incident, from or to");
    return false;
}

/* False where the answer is made, or `*ret_err` is set. */
static bool has_incident(struct request *request, struct store_conn *conn, int64_t id,
                         enum dsnd_err *ret_err)
{
    struct store_rows *rows = NULL;

    *ret_err = store_incident_get(conn, id, &rows);
    store_rows_free(rows);
    if (*ret_err == DSND_ERR_NOT_FOUND) {
        request_problem(request, 400, "incident", "incident is none that GET /v1/incidents lists");
        *ret_err = DSND_OK;
        return false;
    }
    return *ret_err == DSND_OK;
}

static enum dsnd_err run(struct store_conn *conn, const struct body *body,
                         struct store_undo_filter *filter, int64_t *ret_count)
{
    char from[DSND_RFC3339_SIZE];
    char to[DSND_RFC3339_SIZE];

    if (body->from_us >= 0) {
        dsnd_clock_format(body->from_us, from);
        filter->from = dsnd_str_of(from);
    }
    if (body->to_us >= 0) {
        dsnd_clock_format(body->to_us, to);
        filter->to = dsnd_str_of(to);
    }
    return body->dry_run ? store_suppression_undo_count(conn, filter, ret_count)
                         : store_suppression_undo(conn, filter, body->note, ret_count);
}

static enum dsnd_err undo(struct request *request, struct store_conn *conn, json_t *object)
{
    static const struct member_spec specs[] = {
        {"class", MEMBER_STRING, offsetof(struct body, klass), SIZE_MAX, NAME_MAX_OCTETS},
        {"campaign", MEMBER_KEY, offsetof(struct body, campaign), SIZE_MAX, 0},
        {"rule", MEMBER_STRING, offsetof(struct body, rule), SIZE_MAX, NAME_MAX_OCTETS},
        {"provider", MEMBER_STRING, offsetof(struct body, provider), SIZE_MAX, NAME_MAX_OCTETS},
        {"incident", MEMBER_COUNT, offsetof(struct body, incident), SIZE_MAX, INT64_MAX},
        {"from", MEMBER_TIME, offsetof(struct body, from_us), SIZE_MAX, 0},
        {"to", MEMBER_TIME, offsetof(struct body, to_us), SIZE_MAX, 0},
        {"note", MEMBER_STRING, offsetof(struct body, note), SIZE_MAX, STORE_SUPPRESSION_NOTE_MAX},
        {"dry_run", MEMBER_BOOL, offsetof(struct body, dry_run), SIZE_MAX, 0},
    };
    struct body body = {.incident = -1, .from_us = -1, .to_us = -1};
    struct store_undo_filter filter;
    struct params_error error;
    struct json_out json;
    int64_t count = 0;
    enum dsnd_err err;

    if (json_in_members(object, specs, sizeof(specs) / sizeof(*specs), &body, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    if (!make_filter(request, &body, &filter))
        return DSND_OK;
    if (body.incident >= 0 && !has_incident(request, conn, body.incident, &err))
        return err;
    err = run(conn, &body, &filter, &count);
    if (err)
        return err;
    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "dry_run");
    json_out_bool(&json, body.dry_run);
    json_out_name(&json, "lifted");
    json_out_int(&json, count);
    json_out_object_end(&json);
    return request_json_end(request, &json);
}

enum dsnd_err suppressions_undo(struct request *request, struct store_conn *conn)
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
    err = undo(request, conn, object);
    json_decref(object);
    return err;
}
