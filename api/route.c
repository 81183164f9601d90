#include "api/route.h"

#include <stdio.h>
#include <string.h>

#define READ STORE_SCOPE_READ
#define WRITE STORE_SCOPE_WRITE
#define LISTS STORE_SCOPE_SUPPRESSIONS
#define ADMIN STORE_SCOPE_ADMIN

/* Rows of one path stand together. */
const struct route route_table[] = {
    {REQUEST_GET, "/v1/campaigns", READ, 0, campaigns_list},
    {REQUEST_GET, "/v1/campaigns/{}", READ, 0, campaigns_get},
    {REQUEST_PUT, "/v1/campaigns/{}", WRITE, ROUTE_JSON, campaigns_put},
    {REQUEST_GET, "/v1/campaigns/{}/timings", READ, 0, timings_campaign},
    {REQUEST_GET, "/v1/delays", READ, 0, timings_delays},
    {REQUEST_POST, "/v1/sends", WRITE, ROUTE_JSON | ROUTE_NDJSON | ROUTE_IDEMPOTENT, sends_post},
    {REQUEST_GET, "/v1/metrics", READ, 0, metrics_get_series},
    {REQUEST_GET, "/v1/statuses", READ, 0, statuses_list},
    {REQUEST_GET, "/v1/statuses/{}", READ, 0, statuses_get},
    {REQUEST_GET, "/v1/reports/{}", READ, 0, reports_get},
    {REQUEST_GET, "/v1/reports/{}/raw", READ, 0, reports_raw},
    {REQUEST_GET, "/v1/reports/{}/explain", READ, 0, reports_explain},
    {REQUEST_GET, "/v1/incidents", READ, 0, incidents_list},
    {REQUEST_GET, "/v1/incidents/{}", READ, 0, incidents_get},
    {REQUEST_GET, "/v1/suppressions", READ | LISTS, 0, suppressions_list},
    {REQUEST_GET, "/v1/suppressions/changes", READ | LISTS, 0, suppressions_changes},
    {REQUEST_POST, "/v1/suppressions/check", READ | LISTS, ROUTE_JSON | ROUTE_QUICK,
     suppressions_check},
    {REQUEST_POST, "/v1/suppressions/undo", LISTS, ROUTE_JSON | ROUTE_IDEMPOTENT,
     suppressions_undo},
    {REQUEST_GET, "/v1/suppressions/held", READ | LISTS, 0, suppressions_held},
    {REQUEST_POST, "/v1/suppressions/held/{}", LISTS, ROUTE_JSON | ROUTE_IDEMPOTENT,
     suppressions_decide},
    {REQUEST_GET, "/v1/suppressions/{}/history", READ | LISTS, 0, suppressions_history},
    {REQUEST_GET, "/v1/suppression-policy", READ | LISTS, 0, suppression_policy_list},
    {REQUEST_PUT, "/v1/suppression-policy/{}", ADMIN, ROUTE_JSON, suppression_policy_put},
    {REQUEST_GET, "/v1/suppressions/{}", READ | LISTS, 0, suppressions_get},
    {REQUEST_PUT, "/v1/suppressions/{}", LISTS, ROUTE_JSON, suppressions_put},
    {REQUEST_DELETE, "/v1/suppressions/{}", LISTS, 0, suppressions_delete},
    {REQUEST_POST, "/v1/return-paths", WRITE, ROUTE_JSON | ROUTE_IDEMPOTENT, return_paths_post},
    {REQUEST_DELETE, "/v1/recipients/{}", ADMIN, 0, recipients_delete},
    {REQUEST_GET, "/v1/quarantine", ADMIN, 0, quarantine_list},
    {REQUEST_GET, "/v1/quarantine/{}", ADMIN, 0, quarantine_get},
    {REQUEST_GET, "/v1/quarantine/{}/raw", ADMIN, 0, quarantine_raw},
    {REQUEST_GET, "/v1/webhooks", ADMIN, 0, webhooks_list},
    {REQUEST_POST, "/v1/webhooks", ADMIN, ROUTE_JSON | ROUTE_IDEMPOTENT, webhooks_post},
    {REQUEST_GET, "/v1/webhooks/{}", ADMIN, 0, webhooks_get},
    {REQUEST_PUT, "/v1/webhooks/{}", ADMIN, ROUTE_JSON, webhooks_put},
    {REQUEST_DELETE, "/v1/webhooks/{}", ADMIN, 0, webhooks_delete},
    {REQUEST_POST, "/v1/webhooks/{}/replay", ADMIN, ROUTE_IDEMPOTENT, webhooks_replay},
    {REQUEST_POST, "/v1/webhooks/{}/rotate", ADMIN, ROUTE_JSON | ROUTE_IDEMPOTENT, webhooks_rotate},
    {REQUEST_POST, "/v1/webhooks/{}/test", ADMIN, ROUTE_IDEMPOTENT, webhooks_test},
    {REQUEST_GET, "/v1/webhooks/{}/deliveries", ADMIN, 0, webhooks_deliveries},
    {REQUEST_GET, "/v1/openapi.json", 0, ROUTE_OPEN | ROUTE_NO_DATABASE, openapi_get},
    {REQUEST_GET, "/", 0, ROUTE_OPEN | ROUTE_NO_DATABASE, web_get},
    {REQUEST_GET, "/web/{}", 0, ROUTE_OPEN | ROUTE_NO_DATABASE, web_get},
};
const size_t route_count = sizeof(route_table) / sizeof(*route_table);

/* Whether `path` has the form of `pattern`; placeholders give the raw segments. */
static bool matches(struct dsnd_str pattern, struct dsnd_str path,
                    struct dsnd_str segments[REQUEST_SEGMENTS_MAX])
{
    size_t taken = 0;

    while (dsnd_str_present(pattern) && dsnd_str_present(path)) {
        struct dsnd_str want = dsnd_str_cut(&pattern, '/');
        struct dsnd_str got = dsnd_str_cut(&path, '/');

        if (!dsnd_str_eq(want, DSND_STR("{}"))) {
            if (!dsnd_str_eq(want, got))
                return false;
            continue;
        }
        if (got.len == 0 || taken == REQUEST_SEGMENTS_MAX)
            return false;
        segments[taken++] = got;
    }
    return !dsnd_str_present(pattern) && !dsnd_str_present(path);
}

/* The methods of all rows of one path, beginning at `first`. */
static void list_methods(size_t first, char allow[ROUTE_ALLOW_SIZE])
{
    static const char *const names[] = {
        [REQUEST_GET] = "GET, HEAD, ",
        [REQUEST_POST] = "POST, ",
        [REQUEST_PUT] = "PUT, ",
        [REQUEST_DELETE] = "DELETE, ",
    };
    size_t len = 0;

    for (size_t i = first; i < route_count; i++) {
        if (strcmp(route_table[i].path, route_table[first].path) != 0)
            break;
        len += (size_t)snprintf(allow + len, ROUTE_ALLOW_SIZE - len, "%s",
                                names[route_table[i].method]);
    }
    (void)snprintf(allow + len, ROUTE_ALLOW_SIZE - len, "OPTIONS");
}

static int decode_segments(struct request *request, const struct dsnd_str *raw)
{
    for (size_t i = 0; i < REQUEST_SEGMENTS_MAX; i++) {
        if (dsnd_str_present(raw[i]) &&
            params_decode(raw[i], &request->arena, &request->segment[i]) != DSND_OK)
            return 400;
    }
    return 0;
}

int route_find(struct request *request, char ret_allow[ROUTE_ALLOW_SIZE])
{
    struct dsnd_str raw[REQUEST_SEGMENTS_MAX] = {DSND_STR_ABSENT, DSND_STR_ABSENT};
    size_t first = 0;

    while (first < route_count &&
           !matches(dsnd_str_of(route_table[first].path), request->path, raw)) {
        memset(raw, 0, sizeof(raw));
        first++;
    }
    if (first == route_count)
        return 404;
    list_methods(first, ret_allow);
    if (request->method == REQUEST_OPTIONS)
        return 204;
    for (size_t i = first; i < route_count; i++) {
        if (strcmp(route_table[i].path, route_table[first].path) != 0)
            break;
        if (route_table[i].method == request->method) {
            request->route = &route_table[i];
            return decode_segments(request, raw);
        }
    }
    return 405;
}
