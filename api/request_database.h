/*
 * The database for one request. Private to api/.
 */
#ifndef DSND_API_REQUEST_DATABASE_H
#define DSND_API_REQUEST_DATABASE_H

#include "api/request.h"

/* A connection for database_give, or NULL and the answer that there is none. */
struct store_conn *request_connection(struct request *self);
/* Answer that the database is away; `why` goes to the log. */
void request_unavailable(struct request *self, const char *why);

#endif
