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
    STORE_WEBHOOK_ENABLED,
    STORE_WEBHOOK_DISABLED_REASON,
    STORE_WEBHOOK_OLD_SECRET_UNTIL, /* NULL: one secret signs */
    STORE_WEBHOOK_COLUMNS,
};
/* Newest first, those with an id smaller than `before` (absent: all), at most `limit`. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_list(struct store_conn *conn, struct dsnd_str before, unsigned limit,
                                 struct store_rows **ret_rows);
/* DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_get(struct store_conn *conn, int64_t id, struct store_rows **ret_rows);
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
struct store_webhook_change {
    struct dsnd_str url; /* absent: as it is */
    int32_t events;      /* 0: as they are */
    int enabled;         /* 1 or 0; below 0: as it is */
};
/* Change it, and try at once what waits. DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_set(struct store_conn *conn, int64_t id,
                                const struct store_webhook_change *change);
/*
 * Sign with `secret`, and for `overlap_s` with the one before too; `*ret_rows` has one row, the id
 * and when the one before ends (NULL: at once). DSND_ERR_NOT_FOUND.
 */
DSND_MUST_CHECK
enum dsnd_err store_webhook_rotate(struct store_conn *conn, int64_t id, struct dsnd_str secret,
                                   int64_t overlap_s, struct store_rows **ret_rows);
/* A test event for this endpoint; the one value is its id, empty: the endpoint is off. NOT_FOUND.
 */
DSND_MUST_CHECK
enum dsnd_err store_webhook_try(struct store_conn *conn, int64_t id, struct store_rows **ret_rows);

enum store_attempt_column {
    STORE_ATTEMPT_NUMBER,
    STORE_ATTEMPT_AT,
    STORE_ATTEMPT_TAKEN,
    STORE_ATTEMPT_MESSAGE,
    STORE_ATTEMPT_EVENTS, /* a JSON array of ids */
    STORE_ATTEMPT_OCTETS,
    STORE_ATTEMPT_STATUS,
    STORE_ATTEMPT_DURATION_MS,
    STORE_ATTEMPT_ERROR,
    STORE_ATTEMPT_COLUMNS,
};
/* Attempts, the last first, those before the number `before` (absent: all), at most `limit`. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_deliveries(struct store_conn *conn, int64_t id, struct dsnd_str before,
                                       unsigned limit, struct store_rows **ret_rows);

/* ---- the sender ---- */

enum store_webhook_claim_column {
    STORE_CLAIM_ID,
    STORE_CLAIM_URL,
    STORE_CLAIM_SECRET,
    STORE_CLAIM_FAILURES,
    STORE_CLAIM_OLD_SECRET, /* NULL: one secret signs */
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
/*
 * The events of the next message, in order: those of the last attempt while they wait, else the
 * first ones, at most `limit` and `octets` (one is always there).
 */
DSND_MUST_CHECK
enum dsnd_err store_webhook_events(struct store_conn *conn, int64_t id, unsigned limit,
                                   int64_t octets, struct store_rows **ret_rows);
struct store_webhook_attempt {
    int64_t id;
    const struct store_rows *events;
    struct dsnd_str message; /* webhook-id */
    size_t octets;           /* of the body */
    int64_t duration_ms;
    int status;             /* 0: no answer */
    struct dsnd_str reason; /* why it failed, for people */
    int64_t wait_ms;        /* after a failure, until the next attempt */
    int64_t keep_ms;        /* after a failure, events older than this are given up */
};
/* The events were taken. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_delivered(struct store_conn *conn,
                                      const struct store_webhook_attempt *attempt);
/* They were not; status 410 switches the endpoint off. `*ret_dead`: how many were given up. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_failed(struct store_conn *conn,
                                   const struct store_webhook_attempt *attempt, int64_t *ret_dead);
/* Give up what waits too long for endpoints that are off; forget what is old. `*ret_dead` as above.
 */
DSND_MUST_CHECK
enum dsnd_err store_webhook_forget(struct store_conn *conn, int64_t keep_ms, int64_t *ret_dead);
/* Events that wait and that were given up, of all endpoints. */
DSND_MUST_CHECK
enum dsnd_err store_webhook_count(struct store_conn *conn, int64_t *ret_waiting, int64_t *ret_dead);

#endif
