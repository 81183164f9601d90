#include "api/dispatch.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/idempotency.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/hex.h"
#include "parse/digest.h"
#include "store/query.h"
#include "store/query_policy.h"

enum {
    DRAIN_MAX = 32 * 1024 * 1024, /* of a refused body, so that the client reads the answer */
    ETAG_OCTETS = 16,
};

static void refuse(struct request *self, int status, const char *parameter, const char *detail)
{
    request_problem(self, status, parameter, "%s", detail);
    self->answered = true;
}

static void refuse_body(struct request *self)
{
    request_problem(self, 413, "body", "body must have at most %llu octets",
                    (unsigned long long)self->api->settings.max_body);
    self->answered = true;
}

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
        refuse(self, 404, NULL, "there is nothing at this path");
    else if (status == 400)
        refuse(self, 400, "path", "the path must be percent-encoded UTF-8 without NUL");
    else if (status == 405)
        refuse(self, 405, NULL, "this path does not take this method; Allow lists those it takes");
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
    refuse(self, 429, NULL, "this client asks too often");
    (void)snprintf(text, sizeof(text), "%u", wait_s);
    request_add_header(self, "Retry-After", dsnd_str_of(text));
}

static void unavailable(struct request *self, const char *why)
{
    refuse(self, 503, NULL, "the database is away; try again");
    request_add_header(self, "Retry-After", DSND_STR("2"));
    (void)snprintf(self->failure, sizeof(self->failure), "%s", why);
}

/* A connection, or the answer that there is none. */
static struct store_conn *take_connection(struct request *self)
{
    struct store_conn *conn = NULL;
    char why[sizeof(self->failure)];

    if (database_take(self->api->database, &conn) == DSND_OK)
        return conn;
    database_error(self->api->database, why, sizeof(why));
    unavailable(self, why);
    return NULL;
}

static void unauthorized(struct request *self)
{
    refuse(self, 401, NULL, "a valid token is needed: Authorization: Bearer dsnd_...");
    request_add_header(self, "WWW-Authenticate", DSND_STR("Bearer realm=\"dsnd\""));
}

static enum dsnd_err ask_for_token(struct request *self, const unsigned char *hash)
{
    struct store_conn *conn = take_connection(self);
    enum dsnd_err err;

    if (!conn)
        return DSND_ERR_UNAVAILABLE;
    err = store_token_find(conn, hash, &self->token);
    if (err == DSND_ERR_NOT_FOUND)
        unauthorized(self);
    else if (err)
        unavailable(self, store_conn_error(conn));
    else
        auth_remember(self->api->auth, hash, &self->token);
    database_give(self->api->database, conn);
    return err;
}

static void authorize(struct request *self)
{
    unsigned char hash[DIGEST_OCTETS];

    if (self->route->flags & ROUTE_OPEN)
        return;
    if (auth_read(request_header(self, "Authorization"), hash) != DSND_OK) {
        unauthorized(self);
        return;
    }
    if (auth_recall(self->api->auth, hash, &self->token) != DSND_OK &&
        ask_for_token(self, hash) != DSND_OK)
        return;
    if (!(self->token.scopes & (self->route->scopes | STORE_SCOPE_ADMIN)))
        refuse(self, 403, NULL, "the token lacks the scope this operation needs");
}

static bool media_type_is(struct dsnd_str header, struct dsnd_str type)
{
    return dsnd_str_ieq(dsnd_str_trim(dsnd_str_slice(header, 0, dsnd_str_chr(header, ';'))), type);
}

static void check_body(struct request *self, const struct head_framing *framing)
{
    struct dsnd_str type = request_header(self, "Content-Type");
    unsigned flags = self->route->flags;

    if (framing->octets > self->api->settings.max_body) {
        refuse_body(self);
        return;
    }
    self->body = DSND_BUF_INIT(self->api->settings.max_body);
    if (!(flags & (ROUTE_JSON | ROUTE_NDJSON)))
        return;
    if (media_type_is(type, DSND_STR("application/json")) ||
        (flags & ROUTE_NDJSON && media_type_is(type, DSND_STR("application/x-ndjson"))))
        return;
    refuse(self, 415, "Content-Type",
           flags & ROUTE_NDJSON ? "Content-Type must be application/x-ndjson or application/json"
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

bool dispatch_begin(struct request *self, const struct head_line *line)
{
    struct head_framing framing;
    const char *reason = NULL;
    int status = head_check(self->connection, line, &framing, &reason);

    self->begun = true;
    self->method = method_of(line->method);
    self->is_head = strcmp(line->method, "HEAD") == 0;
    if (status) {
        refuse(self, status, NULL, reason);
        self->must_close = true;
        return true;
    }
    check_rate(self);
    if (!self->answered)
        take_apart(self);
    if (!self->answered)
        authorize(self);
    if (!self->answered)
        check_body(self, &framing);
    if (!self->answered || (!framing.chunked && framing.octets == 0))
        return self->answered;
    /* A refused body that is too long to wait for. */
    self->must_close = framing.octets > DRAIN_MAX;
    return self->must_close;
}

bool dispatch_body(struct request *self, struct dsnd_str octets)
{
    if (!self->answered && dsnd_buf_add(&self->body, octets) != DSND_OK) {
        refuse_body(self);
        dsnd_buf_done(&self->body);
    }
    if (self->answered)
        self->drained += octets.len;
    return self->drained <= DRAIN_MAX;
}

static void too_slow(struct request *self)
{
    request_problem(self, 503, NULL, "the answer takes too long; ask for less, or try again");
    request_add_header(self, "Retry-After", DSND_STR("10"));
    (void)snprintf(self->failure, sizeof(self->failure), "%s", "statement took too long");
}

static void explain_error(struct request *self, enum dsnd_err err, const struct store_conn *conn)
{
    switch (err) {
    case DSND_OK:
        break;
    case DSND_ERR_NOT_FOUND:
        request_problem(self, 404, NULL, "there is nothing of this name");
        break;
    case DSND_ERR_REFUSED:
        request_problem(self, 400, NULL, "a value cannot be read or stored");
        break;
    case DSND_ERR_UNAVAILABLE:
    case DSND_ERR_VERSION:
        if (conn && store_conn_was_slow(conn))
            too_slow(self);
        else
            unavailable(self, conn ? store_conn_error(conn) : "");
        break;
    case DSND_ERR_LIMIT:
        request_problem(self, 422, NULL, "the answer is too large; ask for less");
        break;
    case DSND_ERR_NOMEM:
    case DSND_ERR_IO:
    case DSND_ERR_SYNTAX:
    case DSND_ERR_CORRUPT:
    case DSND_ERR_CONFLICT:
        request_problem(self, 500, NULL, "the request could not be answered");
        (void)snprintf(self->failure, sizeof(self->failure), "%s", dsnd_err_text(err));
        break;
    }
}

/* Same octets, same tag. A poll that finds nothing new costs no transfer. */
static void tag(struct request *self)
{
    unsigned char digest[DIGEST_OCTETS];
    char etag[2 * ETAG_OCTETS + 3] = "\"";
    struct dsnd_str known = request_header(self, "If-None-Match");

    if (self->method != REQUEST_GET || self->status != 200 || self->stream.next ||
        digest_sha256(dsnd_buf_str(&self->out), digest) != DSND_OK)
        return;
    hex_encode(digest, ETAG_OCTETS, etag + 1);
    etag[2 * ETAG_OCTETS + 1] = '"';
    request_add_header(self, "ETag", dsnd_str_of(etag));
    if (dsnd_str_find(known, dsnd_str_of(etag)) != SIZE_MAX ||
        dsnd_str_eq(dsnd_str_trim(known), DSND_STR("*")))
        request_empty(self, 304);
}

/* What changes lists is told who asks, so that it can be noted with each change. */
static enum dsnd_err name_actor(const struct request *self, struct store_conn *conn)
{
    static const unsigned lists = STORE_SCOPE_SUPPRESSIONS | STORE_SCOPE_ADMIN;
    unsigned scopes = self->route->scopes;

    if (self->method == REQUEST_GET || !(scopes & lists) || (scopes & STORE_SCOPE_READ))
        return DSND_OK;
    return store_actor_token(conn, self->token.id);
}

static void handle(struct request *self, struct store_conn *conn)
{
    bool keyed = false;
    enum dsnd_err err = idempotency_begin(self, conn, &keyed);

    if (!err && !self->answered)
        err = name_actor(self, conn);

    if (!err && !self->answered)
        err = self->route->handler(self, conn);
    if (self->waiting)
        return;
    explain_error(self, err, conn);
    if (keyed)
        explain_error(self, idempotency_end(self, conn), conn);
}

void dispatch_late(struct request *self)
{
    too_slow(self);
    self->answered = true;
}

void dispatch_run(struct request *self)
{
    struct store_conn *conn = NULL;

    self->waiting = false;
    if (!(self->route->flags & ROUTE_NO_DATABASE)) {
        conn = take_connection(self);
        if (!conn)
            return;
    }
    handle(self, conn);
    database_give(self->api->database, conn);
    if (self->waiting)
        return;
    self->answered = true;
    tag(self);
}

/* Give the connection back, unless rows are due on it and it may stay for them. */
static void leave(struct request *self, struct store_conn *conn, bool keep)
{
    if (keep && conn && store_rows_due(conn)) {
        self->stream.conn = conn;
        return;
    }
    if (keep)
        database_unkeep(self->api->database);
    database_give(self->api->database, conn);
}

static enum dsnd_err next_page(struct request *self, bool *ret_end)
{
    struct store_conn *conn = self->stream.conn;
    bool keep = conn || database_keep(self->api->database);
    enum dsnd_err err = conn ? DSND_OK : database_take(self->api->database, &conn);

    self->stream.conn = NULL;
    if (!err)
        err = self->stream.next(self->stream.state, conn, keep, &self->out, ret_end);
    leave(self, conn, keep);
    return err;
}

void dispatch_page(struct request *self)
{
    struct request_stream *stream = &self->stream;
    bool kept = stream->conn != NULL;
    bool end = false;
    enum dsnd_err err;

    dsnd_buf_clear(&self->out);
    stream->taken = 0;
    err = next_page(self, &end);
    /* A reader that pauses may find that PostgreSQL did not wait, or was away: ask anew. */
    if (err && kept && self->out.len == 0)
        err = next_page(self, &end);
    stream->failed = err != DSND_OK;
    if (end)
        stream->next = NULL;
}

void dispatch_end(struct request *self)
{
    struct store_conn *conn = self->stream.conn;

    self->stream.conn = NULL;
    if (!conn)
        return;
    store_rows_drop(conn);
    leave(self, conn, true);
}

const struct return_path_keys *request_keys(const struct request *self)
{
    return &atomic_load(&self->api->keys)->keys;
}

const struct provider_set *request_providers(const struct request *self)
{
    return atomic_load(&self->api->keys)->providers;
}

const char *request_domain(const struct request *self)
{
    return self->api->domain;
}

bool request_wait(struct request *self, int64_t after, int64_t wait_s)
{
    if (self->wait_over || wait_s <= 0)
        return false;
    self->wait_after = after;
    self->wait_ms = wait_s * 1000;
    watch_set(self->api->watch, self->watch,
              self->wait_ms + (int64_t)self->api->settings.request_timeout_ms);
    self->waiting = true;
    return true;
}
