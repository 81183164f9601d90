/*
 * The table of operations: method, path, who may, what body, handler. Paths are matched segment by
 * segment; "{}" takes one segment, percent-decoded. A path without placeholders goes before one
 * with. Pure, any thread.
 */
#ifndef DSND_API_ROUTE_H
#define DSND_API_ROUTE_H

#include <stddef.h>

#include "api/request.h"
#include "base/err.h"
#include "store/store.h"

enum route_flag {
    ROUTE_OPEN = 1 << 0,        /* needs no token */
    ROUTE_NO_DATABASE = 1 << 1, /* the handler gets no connection */
    ROUTE_JSON = 1 << 2,        /* takes an application/json body */
    ROUTE_NDJSON = 1 << 3,      /* takes an application/x-ndjson body too */
    ROUTE_IDEMPOTENT = 1 << 4,  /* honours Idempotency-Key */
    ROUTE_QUICK = 1 << 5,       /* with a small body, a look-up by index that changes nothing */
};

/*
 * Makes the answer, by request_json and the like, and returns DSND_OK; any other result becomes a
 * problem: NOT_FOUND 404, REFUSED 400, UNAVAILABLE and VERSION 503, else 500.
 */
typedef enum dsnd_err route_handler(struct request *request, struct store_conn *conn);

struct route {
    enum request_method method;
    const char *path;
    unsigned scopes; /* OR of enum store_scope: a token needs one of them; admin may everything */
    unsigned flags;
    route_handler *handler;
};

extern const struct route route_table[];
extern const size_t route_count;

enum { ROUTE_ALLOW_SIZE = 64 };

/*
 * The route of a method and path; segments are decoded into the request. Zero; else 404, or 405
 * with `ret_allow` filled ("GET, HEAD, PUT, OPTIONS"), or 400 for a segment that cannot be decoded.
 * 204 for OPTIONS, with `ret_allow`.
 */
int route_find(struct request *request, char ret_allow[ROUTE_ALLOW_SIZE]);

/* Handlers, one file a resource. */
route_handler campaigns_list, campaigns_get, campaigns_put;
route_handler sends_post;
route_handler metrics_get_series;
route_handler timings_campaign, timings_delays;
route_handler statuses_list, statuses_get;
route_handler reports_get, reports_raw, reports_explain;
route_handler incidents_list, incidents_get;
route_handler suppressions_list, suppressions_get, suppressions_put, suppressions_delete;
route_handler suppressions_check, suppressions_changes, suppressions_undo;
route_handler suppressions_held, suppressions_decide, suppressions_history;
route_handler suppression_policy_list, suppression_policy_put;
route_handler return_paths_post;
route_handler recipients_delete;
route_handler quarantine_list, quarantine_get, quarantine_raw;
route_handler webhooks_list, webhooks_post, webhooks_get, webhooks_put, webhooks_delete;
route_handler webhooks_replay, webhooks_rotate, webhooks_test, webhooks_deliveries;
route_handler openapi_get;
route_handler web_get;

#endif
