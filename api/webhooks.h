/*
 * What the routes of webhooks share. One thread.
 */
#ifndef DSND_API_WEBHOOKS_H
#define DSND_API_WEBHOOKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/json_out.h"
#include "api/request.h"
#include "store/query.h"

enum { WEBHOOKS_URL_MAX = 2000, WEBHOOKS_EVENT_COUNT = 9 };

/* Members of one endpoint, from a row of store_webhook_list or _get; and of its events alone. */
void webhooks_members(struct json_out *json, const struct store_rows *rows, size_t row);
void webhooks_events(struct json_out *json, int64_t events);

/* Both: false where the answer, that it is none, is made. No or an empty list: all events. */
bool webhooks_check_url(struct request *request, struct dsnd_str url);
bool webhooks_read_events(struct request *request, const json_t *list, int32_t *ret_events);

/* The number of the path. DSND_ERR_NOT_FOUND: none. */
DSND_MUST_CHECK
enum dsnd_err webhooks_id(const struct request *request, int64_t *ret_id);

#endif
