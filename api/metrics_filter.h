/*
 * The parameters of GET /v1/metrics. One thread.
 */
#ifndef DSND_API_METRICS_FILTER_H
#define DSND_API_METRICS_FILTER_H

#include "api/request.h"
#include "store/query_metrics.h"

struct metrics_query {
    struct store_metrics_filter filter;
    struct store_metrics_filter previous; /* the time of the same length before */
    int by;                               /* 0: the time of the report; 1: of sending */
    int interval;
    int compare;    /* -1: with nothing */
    int confidence; /* -1: rates without their interval */
    int format;     /* enum request_format */
    struct dsnd_str group_by;
};

/* Where `*ret_good` is false the answer is made. DSND_ERR_NOMEM, or as store/query.h says. */
DSND_MUST_CHECK
enum dsnd_err metrics_filter_read(struct request *request, struct store_conn *conn,
                                  struct metrics_query *ret_query, bool *ret_good);

#endif
