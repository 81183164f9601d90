#include "api/dispatch.h"

#include <stdio.h>

#include "api/admit.h"
#include "api/api.h"
#include "api/idempotency.h"
#include "api/request_database.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/hex.h"
#include "parse/digest.h"
#include "store/query.h"
#include "store/query_policy.h"

enum {
    ETAG_OCTETS = 16,
    QUICK_BODY_OCTETS = 4096,
    QUICK_PAUSE_MS = 5000, /* after something was not */
};

/* Whether anybody looks at the body: an Idempotency-Key goes with it, too. */
static bool body_is_read(const struct request *self)
{
    return self->route->flags & (ROUTE_JSON | ROUTE_NDJSON | ROUTE_IDEMPOTENT);
}

bool dispatch_body(struct request *self, struct dsnd_str octets)
{
    if (self->answered || !body_is_read(self))
        self->drained += octets.len;
    else if (dsnd_buf_add(&self->body, octets) != DSND_OK)
        admit_refuse_body(self);
    if (!self->answered && self->drained > self->api->settings.max_body)
        admit_refuse_body(self);
    if (self->answered)
        dsnd_buf_done(&self->body);
    return self->drained <= ADMIT_DRAIN_MAX;
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
            request_too_slow(self);
        else
            request_unavailable(self, conn ? store_conn_error(conn) : "");
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

void dispatch_run(struct request *self)
{
    struct store_conn *conn = NULL;

    self->waiting = false;
    if (!(self->route->flags & ROUTE_NO_DATABASE)) {
        conn = request_connection(self);
        if (!conn)
            return;
    }
    handle(self, conn);
    request_disconnect(self, conn);
    if (self->waiting)
        return;
    self->answered = true;
    tag(self);
}

bool dispatch_quick(struct request *self)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();

    if (self->route->flags & ROUTE_NO_DATABASE) {
        dispatch_run(self);
        return true;
    }
    if (!(self->route->flags & ROUTE_QUICK) || self->body.len > QUICK_BODY_OCTETS ||
        now_ms < atomic_load(&self->api->quick_from_ms))
        return false;
    self->is_quick = true;
    dispatch_run(self);
    self->is_quick = false;
    if (self->status != 503)
        return true;
    atomic_store(&self->api->quick_from_ms, now_ms + QUICK_PAUSE_MS);
    self->answered = false;
    self->header_count = 0;
    self->failure[0] = '\0';
    return false;
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
    int64_t left_ms = request_left_ms(self);
    enum dsnd_err err = DSND_OK;

    self->stream.conn = NULL;
    if (left_ms <= 0)
        err = DSND_ERR_UNAVAILABLE;
    else if (!conn)
        err = database_take_for(self->api->database, left_ms, &conn);
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
    request_may_take(self, self->wait_ms + (int64_t)self->api->settings.request_timeout_ms);
    self->waiting = true;
    return true;
}
