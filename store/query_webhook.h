/*
 * Webhooks: the endpoints, and the outbox that the sender empties. Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_WEBHOOK_H
#define DSND_STORE_QUERY_WEBHOOK_H

#include "store/query.h"

enum {
    STORE_WEBHOOKS_MAX = 50,       /* endpoints of one service */
    STORE_WEBHOOK_EVENTS_ALL = 511 /* OR of all events; the bits are told at webhook.events */
};

enum store_webhook_column {
    STORE_WEBHOOK_ID,
    STORE_WEBHOOK_URL,
    STORE_WEBHOOK_EVENTS,
    STORE_WEBHOOK_CREATED_AT,
    STORE_WEBHOOK_WAITING, /* events in the outbox */
    STORE_WEBHOOK_DEAD,    /* events given up and kept */
    STORE_WEBHOOK_DELIVERED,
    STORE_WEBHOOK_FAILURES, /* attempts since the last that succeeded */
    STORE_WEBHOOK_NEXT_AT,
    STORE_WEBHOOK_LAST_AT,
    STORE_WEBHOOK_LAST_STATUS,
    STORE_WEBHOOK_LAST_ERROR,
    STORE_WEBHOOK_COLUMNS,
};
/* Newest first, those with an id smaller than `before` (absent: all), at most `limit`. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_list(struct store_conn *conn, struct dsnd_str before, unsigned limit,
                                 struct store_rows **ret_rows);
/* DSND_ERR_LIMIT: there are STORE_WEBHOOKS_MAX already. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_add(struct store_conn *conn, struct dsnd_str url, int32_t events,
                                struct dsnd_str secret, int64_t *ret_id);
/* With all that waits for it. DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_remove(struct store_conn *conn, int64_t id);
/* Try at once; put back what was given up, `*ret_count` events. DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_replay(struct store_conn *conn, int64_t id, int64_t *ret_count);

/* ---- the sender ---- */

enum store_webhook_claim_column {
    STORE_CLAIM_ID,
    STORE_CLAIM_URL,
    STORE_CLAIM_SECRET,
    STORE_CLAIM_FAILURES,
};
/* Take an endpoint that is due for `lease_ms`; DSND_ERR_NOT_FOUND when none is. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_claim(struct store_conn *conn, int64_t lease_ms,
                                  struct store_rows **ret_rows);
enum store_webhook_event_column {
    STORE_EVENT_SEQ,
    STORE_EVENT_ID,
    STORE_EVENT_BODY, /* JSON */
};
/* The first events that wait for it, in order. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_events(struct store_conn *conn, int64_t id, unsigned limit,
                                   struct store_rows **ret_rows);
/* The first `count` of `events` arrived: `status` is what the endpoint answered. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_delivered(struct store_conn *conn, int64_t id,
                                      const struct store_rows *events, size_t count, int status);
struct store_webhook_failure {
    int status;             /* 0: no answer */
    struct dsnd_str reason; /* for people */
    int64_t wait_ms;        /* until the next attempt */
    int64_t keep_ms;        /* events older than this are given up */
};
/* `*ret_dead`: how many events were given up. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_failed(struct store_conn *conn, int64_t id,
                                   const struct store_webhook_failure *failure, int64_t *ret_dead);
/* Events that wait and that were given up, of all endpoints. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_count(struct store_conn *conn, int64_t *ret_waiting, int64_t *ret_dead);

#endif
