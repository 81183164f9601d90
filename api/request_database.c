#include "api/request_database.h"

#include <stdio.h>

#include "api/api.h"

void request_unavailable(struct request *self, const char *why)
{
    request_refuse(self, 503, NULL, "the database is away; try again");
    request_add_header(self, "Retry-After", DSND_STR("2"));
    (void)snprintf(self->failure, sizeof(self->failure), "%s", why);
}

struct store_conn *request_connection(struct request *self)
{
    struct store_conn *conn = NULL;
    char why[sizeof(self->failure)];

    if (database_take(self->api->database, &conn) == DSND_OK)
        return conn;
    database_error(self->api->database, why, sizeof(why));
    request_unavailable(self, why);
    return NULL;
}
