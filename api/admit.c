#include "api/admit.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/request_database.h"
#include "api/route.h"
#include "base/clock.h"
#include "parse/digest.h"

static enum request_method method_of(const char *name)
{
    static const struct {
        const char *name;
        enum request_method method;
    } rows[] = {
        {"GET", REQUEST_GET}, {"HEAD", REQUEST_GET},      {"POST", REQUEST_POST},
        {"PUT", REQUEST_PUT}, {"DELETE", REQUEST_DELETE}, {"OPTIONS", REQUEST_OPTIONS},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].method;
    return REQUEST_OTHER;
}

static void find_route(struct request *self)
{
    char allow[ROUTE_ALLOW_SIZE];
    int status = route_find(self, allow);

    if (status == 404)
        request_refuse(self, 404, NULL, "there is nothing at this path");
    else if (status == 400)
        request_refuse(self, 400, "path", "the path must be percent-encoded UTF-8 without NUL");
    else if (status == 405)
        request_refuse(self, 405, NULL,
                       "this path does not take this method; Allow lists those it takes");
    else if (status == 204)
        request_empty(self, 204);
    if (status == 405 || status == 204) {
        request_add_header(self, "Allow", dsnd_str_of(allow));
        self->answered = true;
    }
}

static void check_rate(struct request *self)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(self->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    unsigned wait_s = 1;
    char text[16];

    if (!info ||
        limit_take(self->api->limit, info->client_addr, dsnd_clock_monotonic_ms(), &wait_s))
        return;
    request_refuse(self, 429, NULL, "this client asks too often");
    (void)snprintf(text, sizeof(text), "%u", wait_s);
    request_add_header(self, "Retry-After", dsnd_str_of(text));
}

static void unauthorized(struct request *self)
{
    request_refuse(self, 401, NULL, "a valid token is needed: Authorization: Bearer dsnd_...");
    request_add_header(self, "WWW-Authenticate", DSND_STR("Bearer realm=\"dsnd\""));
}

static enum dsnd_err ask_for_token(struct request *self, const unsigned char *hash)
{
    struct store_conn *conn = request_connection(self);
    enum dsnd_err err;

    if (!conn)
        return DSND_ERR_UNAVAILABLE;
    err = store_token_find(conn, hash, &self->token);
    if (err == DSND_ERR_NOT_FOUND)
        unauthorized(self);
    else if (err)
        request_unavailable(self, store_conn_error(conn));
    else
        auth_remember(self->api->auth, hash, &self->token);
    request_disconnect(self, conn);
    return err;
}

/* With `ask` of the database, where it is not known without. */
static void authorize(struct request *self, bool ask)
{
    unsigned char hash[DIGEST_OCTETS];

    if (self->route->flags & ROUTE_OPEN)
        return;
    if (auth_read(request_header(self, "Authorization"), hash) != DSND_OK) {
        unauthorized(self);
        return;
    }
    if (auth_recall(self->api->auth, hash, &self->token) != DSND_OK) {
        self->asks_token = !ask;
        if (!ask || ask_for_token(self, hash) != DSND_OK)
            return;
    }
    if (!(self->token.scopes & (self->route->scopes | STORE_SCOPE_ADMIN)))
        request_refuse(self, 403, NULL, "the token lacks the scope this operation needs");
}

void admit_refuse_body(struct request *self)
{
    request_problem(self, 413, "body", "body must have at most %llu octets",
                    (unsigned long long)self->api->settings.max_body);
    self->answered = true;
}

static bool media_type_is(struct dsnd_str header, struct dsnd_str type)
{
    return dsnd_str_ieq(dsnd_str_trim(dsnd_str_slice(header, 0, dsnd_str_chr(header, ';'))), type);
}

static void check_body(struct request *self)
{
    struct dsnd_str type = request_header(self, "Content-Type");
    unsigned flags = self->route->flags;

    if (self->framing.octets > self->api->settings.max_body) {
        admit_refuse_body(self);
        return;
    }
    self->body = DSND_BUF_INIT(self->api->settings.max_body);
    if (!(flags & (ROUTE_JSON | ROUTE_NDJSON)))
        return;
    if (media_type_is(type, DSND_STR("application/json")) ||
        (flags & ROUTE_NDJSON && media_type_is(type, DSND_STR("application/x-ndjson"))))
        return;
    request_refuse(self, 415, "Content-Type",
                   flags & ROUTE_NDJSON
                       ? "Content-Type must be application/x-ndjson or application/json"
                       : "Content-Type must be application/json");
}

/* The first format of Accept that we have; JSON where there is none. */
static enum request_format accepted(struct dsnd_str accept)
{
    while (dsnd_str_present(accept)) {
        struct dsnd_str range = dsnd_str_cut(&accept, ',');

        if (media_type_is(range, DSND_STR("text/csv")))
            return REQUEST_CSV;
        if (media_type_is(range, DSND_STR("application/x-ndjson")))
            return REQUEST_NDJSON;
        if (media_type_is(range, DSND_STR("application/json")))
            return REQUEST_JSON;
    }
    return REQUEST_JSON;
}

static void take_apart(struct request *self)
{
    struct dsnd_str target = dsnd_str_of(self->target);
    struct params_error error;

    self->path = dsnd_str_cut(&target, '?');
    self->format = accepted(request_header(self, "Accept"));
    find_route(self);
    if (!self->answered && params_parse(target, &self->arena, &self->params, &error) != DSND_OK) {
        request_problem_of(self, 400, &error);
        self->answered = true;
    }
}

void admit_begin(struct request *self, const struct head_line *line)
{
    const char *reason = NULL;
    int status = head_check(self->connection, line, &self->framing, &reason);

    self->begun = true;
    self->method = method_of(line->method);
    self->is_head = strcmp(line->method, "HEAD") == 0;
    self->is_old = strcmp(line->version, "HTTP/1.0") == 0;
    if (status) {
        request_refuse(self, status, NULL, reason);
        self->must_close = true;
        return;
    }
    check_rate(self);
    if (!self->answered)
        take_apart(self);
    if (!self->answered)
        authorize(self, false);
    if (!self->answered && !self->asks_token)
        check_body(self);
}

void admit_token(struct request *self)
{
    self->asks_token = false;
    authorize(self, true);
    if (!self->answered)
        check_body(self);
}

bool admit_refuses(struct request *self)
{
    /* A refused body that is too long to wait for. */
    if (self->answered && self->framing.octets > ADMIT_DRAIN_MAX)
        self->must_close = true;
    return self->answered && self->must_close;
}
