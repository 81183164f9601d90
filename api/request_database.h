/*
 * The database for one request, and the time it has. Private to api/.
 */
#ifndef DSND_API_REQUEST_DATABASE_H
#define DSND_API_REQUEST_DATABASE_H

#include "api/request.h"

/* A connection for request_disconnect, or NULL and the answer that there is none, or no time for
 * one. */
struct store_conn *request_connection(struct request *self);
void request_disconnect(struct request *self, struct store_conn *conn); /* NULL is fine */
/* How long statements of the request may still take, so that its client can be told in time. */
int64_t request_left_ms(const struct request *self);
/* The request has so long from now; then its connection is cut. */
void request_may_take(struct request *self, int64_t ms);
/* Answer that it takes too long. */
void request_too_slow(struct request *self);
/* Answer that the database is away; `why` goes to the log. */
void request_unavailable(struct request *self, const char *why);

#endif
