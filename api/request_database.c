#include "api/request_database.h"

#include <stdio.h>

#include "api/api.h"
#include "base/clock.h"

int64_t request_left_ms(const struct request *self)
{
    int64_t spare_ms = (int64_t)self->api->settings.request_timeout_ms / 5;

    return self->deadline_ms - spare_ms - dsnd_clock_monotonic_ms();
}

void request_may_take(struct request *self, int64_t ms)
{
    self->deadline_ms = dsnd_clock_monotonic_ms() + ms;
    watch_set(self->api->watch, self->watch, ms);
}

void request_too_slow(struct request *self)
{
    request_refuse(self, 503, NULL, "the answer takes too long; ask for less, or try again");
    request_add_header(self, "Retry-After", DSND_STR("10"));
    (void)snprintf(self->failure, sizeof(self->failure), "%s", "statement took too long");
}

void request_unavailable(struct request *self, const char *why)
{
    request_refuse(self, 503, NULL, "the database is away; try again");
    request_add_header(self, "Retry-After", DSND_STR("2"));
    (void)snprintf(self->failure, sizeof(self->failure), "%s", why);
}

static struct database *database_of(const struct request *self)
{
    return self->is_quick ? self->api->quick : self->api->database;
}

void request_disconnect(struct request *self, struct store_conn *conn)
{
    database_give(database_of(self), conn);
}

struct store_conn *request_connection(struct request *self)
{
    struct store_conn *conn = NULL;
    char why[sizeof(self->failure)];
    int64_t left_ms = request_left_ms(self);

    if (left_ms <= 0) {
        request_too_slow(self);
        (void)snprintf(self->failure, sizeof(self->failure), "%s", "waited too long for a thread");
        return NULL;
    }
    if (database_take_for(database_of(self), left_ms, &conn) == DSND_OK)
        return conn;
    database_error(database_of(self), why, sizeof(why));
    request_unavailable(self, why);
    return NULL;
}
