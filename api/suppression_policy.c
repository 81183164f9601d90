/*
 * /v1/suppression-policy: after how many failures of a class an address is suppressed, and for how
 * long.
 */
#include <jansson.h>
#include <stddef.h>

#include "api/json_in.h"
#include "api/names.h"
#include "api/route.h"
#include "api/rows_out.h"
#include "base/log.h"
#include "parse/report.h"
#include "store/codes.h"
#include "store/query_policy.h"

enum {
    THRESHOLD_MAX = 100, /* what the writer looks back at most */
    WINDOW_MIN_S = 3600,
    WINDOW_MAX_S = 366 * 86400,
    DAY_S = 86400,
    KEEP_MIN_S = 3600,
    KEEP_MAX_S = 3650 * 86400,
    WORD_MAX = 32,
};

static const struct field fields[STORE_POLICY_COLUMNS] = {
    [STORE_POLICY_CLASS] = {"class", FIELD_NAME, names_class},
    [STORE_POLICY_THRESHOLD] = {"threshold", FIELD_NUMBER, NULL},
    [STORE_POLICY_WINDOW_S] = {"window_s", FIELD_NUMBER, NULL},
    [STORE_POLICY_DISTINCT_DAYS] = {"distinct_days", FIELD_NUMBER, NULL},
    [STORE_POLICY_EXPIRES_S] = {"expires_s", FIELD_NUMBER, NULL},
    [STORE_POLICY_PROBATION_S] = {"probation_s", FIELD_NUMBER, NULL},
    [STORE_POLICY_RELAPSE_LASTS] = {"relapse_lasts", FIELD_BOOL, NULL},
    [STORE_POLICY_EVIDENCE] = {"evidence", FIELD_NAME, names_evidence},
    [STORE_POLICY_CHANGED_AT] = {"changed_at", FIELD_TIME, NULL},
    [STORE_POLICY_CHANGED_BY] = {"changed_by", FIELD_STRING, NULL},
};

enum dsnd_err suppression_policy_list(struct request *request, struct store_conn *conn)
{
    struct store_rows *rows = NULL;
    struct json_out json;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    err = store_policy_list(conn, -1, &rows);
    if (err)
        return err;
    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "data");
    json_out_array(&json);
    for (size_t i = 0; i < store_rows_count(rows); i++)
        rows_out_json(&json, fields, STORE_POLICY_COLUMNS, rows, i);
    json_out_array_end(&json);
    json_out_object_end(&json);
    store_rows_free(rows);
    return request_json_end(request, &json);
}

struct body {
    int64_t threshold;
    int64_t window_s;
    int64_t distinct_days;
    int64_t expires_s;
    int64_t probation_s;
    bool relapse_lasts;
    struct dsnd_str evidence;
};

static bool refuse(struct request *request, const char *member, const char *why)
{
    request_problem(request, 400, member, "%s %s", member, why);
    return false;
}

static bool is_within(int64_t value, int64_t min, int64_t max)
{
    return value >= min && value <= max;
}

/* A failure at the sender's fault, or a message that is no failure, never suppresses a recipient.
 */
static bool may_suppress(enum report_class klass)
{
    return klass != REPORT_CLASS_REPUTATION_BLOCK && klass != REPORT_CLASS_AUTH_FAILURE &&
           klass != REPORT_CLASS_CONTENT_BLOCK && klass != REPORT_CLASS_AUTO_REPLY;
}

static bool check_count(struct request *request, enum report_class klass, const struct body *body)
{
    bool counts = body->threshold > 1;

    if (!is_within(body->threshold, 0, THRESHOLD_MAX))
        return refuse(request, "threshold", "must be 0 (never), 1 (at once) or up to 100");
    if (body->threshold > 0 && !may_suppress(klass))
        return refuse(request, "threshold",
                      "must be 0: a failure of this class is not the recipient's");
    if (counts && !is_within(body->window_s, WINDOW_MIN_S, WINDOW_MAX_S))
        return refuse(request, "window_s", "must be from 3600 to 31622400 with this threshold");
    if (!counts && body->window_s > 0)
        return refuse(request, "window_s", "goes with a threshold of 2 or more");
    if (!is_within(body->distinct_days, 1, counts ? body->threshold : 1))
        return refuse(request, "distinct_days", "must be from 1 to threshold");
    if (counts && (body->distinct_days - 2) * DAY_S >= body->window_s)
        return refuse(request, "distinct_days", "do not fit into window_s");
    return true;
}

static bool check_time(struct request *request, const struct body *body)
{
    if (body->expires_s >= 0 && !is_within(body->expires_s, KEEP_MIN_S, KEEP_MAX_S))
        return refuse(request, "expires_s", "must be null (never) or from 3600 to 315360000");
    if (body->expires_s >= 0 && body->threshold == 0)
        return refuse(request, "expires_s", "goes with a threshold of 1 or more");
    if (body->probation_s >= 0 && !is_within(body->probation_s, KEEP_MIN_S, KEEP_MAX_S))
        return refuse(request, "probation_s", "must be null (none) or from 3600 to 315360000");
    if (body->probation_s >= 0 && body->expires_s < 0)
        return refuse(request, "probation_s", "goes with expires_s");
    if (body->relapse_lasts && body->probation_s < 0)
        return refuse(request, "relapse_lasts", "goes with probation_s");
    return true;
}

static bool read_evidence(struct request *request, struct dsnd_str name, int16_t *ret_evidence)
{
    *ret_evidence = STORE_EVIDENCE_MATCHED;
    if (!dsnd_str_present(name))
        return true;
    for (int e = STORE_EVIDENCE_MATCHED; e <= STORE_EVIDENCE_SIGNED; e++) {
        if (dsnd_str_eq(name, dsnd_str_of(store_evidence_name((enum store_evidence)e)))) {
            *ret_evidence = (int16_t)e;
            return true;
        }
    }
    return refuse(request, "evidence",
                  "must be matched, signed_other, signed_ref or signed: without proof nobody is "
                  "suppressed");
}

static enum dsnd_err store(struct request *request, struct store_conn *conn,
                           const struct store_suppression_policy *policy)
{
    struct store_rows *rows = NULL;
    struct json_out json;
    enum dsnd_err err = store_policy_put(conn, policy);

    if (!err)
        err = store_policy_list(conn, policy->klass, &rows);
    if (err)
        return err;
    log_event(
        LOG_LEVEL_INFO, "policy.change",
        "class=%s threshold=%d window_s=%d expires_s=%d probation_s=%d evidence=%s token=%lld",
        names_class(policy->klass), policy->threshold, policy->window_s, policy->expires_s,
        policy->probation_s, names_evidence(policy->evidence), (long long)request->token.id);
    request_json(request, 200, &json);
    rows_out_json(&json, fields, STORE_POLICY_COLUMNS, rows, 0);
    store_rows_free(rows);
    return request_json_end(request, &json);
}

static enum dsnd_err put(struct request *request, struct store_conn *conn, enum report_class klass,
                         json_t *object)
{
    static const struct member_spec specs[] = {
        {"threshold", MEMBER_COUNT, offsetof(struct body, threshold), SIZE_MAX, INT32_MAX},
        {"window_s", MEMBER_COUNT, offsetof(struct body, window_s), SIZE_MAX, INT32_MAX},
        {"distinct_days", MEMBER_COUNT, offsetof(struct body, distinct_days), SIZE_MAX, INT16_MAX},
        {"expires_s", MEMBER_COUNT, offsetof(struct body, expires_s), SIZE_MAX, INT32_MAX},
        {"probation_s", MEMBER_COUNT, offsetof(struct body, probation_s), SIZE_MAX, INT32_MAX},
        {"relapse_lasts", MEMBER_BOOL, offsetof(struct body, relapse_lasts), SIZE_MAX, 0},
        {"evidence", MEMBER_STRING, offsetof(struct body, evidence), SIZE_MAX, WORD_MAX},
    };
    struct body body = {.threshold = -1, .distinct_days = 1, .expires_s = -1, .probation_s = -1};
    struct store_suppression_policy policy = {.klass = (int)klass};
    struct params_error error;

    if (json_in_members(object, specs, sizeof(specs) / sizeof(*specs), &body, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    if (!check_count(request, klass, &body) || !check_time(request, &body) ||
        !read_evidence(request, body.evidence, &policy.evidence))
        return DSND_OK;
    policy.threshold = (int16_t)body.threshold;
    policy.window_s = (int32_t)body.window_s;
    policy.distinct_days = (int16_t)body.distinct_days;
    policy.expires_s = (int32_t)body.expires_s;
    policy.probation_s = (int32_t)body.probation_s;
    policy.relapse_lasts = body.relapse_lasts;
    return store(request, conn, &policy);
}

enum dsnd_err suppression_policy_put(struct request *request, struct store_conn *conn)
{
    enum report_class klass = REPORT_CLASS_NONE;
    struct params_error error;
    json_t *object = NULL;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    if (json_in_parse(dsnd_buf_str(&request->body), false, &object, &error)) {
        request_problem_of(request, 400, &error);
        return DSND_OK;
    }
    if (report_class_from(request->segment[0], &klass) || klass == REPORT_CLASS_NONE)
        err = DSND_ERR_NOT_FOUND;
    else
        err = put(request, conn, klass, object);
    json_decref(object);
    return err;
}
