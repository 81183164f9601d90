#include "store/store.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "store/migrations.h"
#include "store/pg.h"

/*
 * In UTC; commits are durable before we say so, whatever the cluster's default; nothing waits
 * without end, and no short statement for a compiler.
 */
static const char session_format[] =
    "SET client_encoding = 'UTF8'; SET timezone = 'UTC'; SET synchronous_commit = on; SET jit = "
    "off;"
    "SET statement_timeout = %d; SET lock_timeout = %d;"
    "SET idle_in_transaction_session_timeout = %d; SET client_min_messages = warning";

/* libpq would write to standard error; what matters comes as a result as well. */
static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

bool store_url_valid(const char *url)
{
    struct dsnd_str text = dsnd_str_of(url);
    char *why = NULL;
    PQconninfoOption *options;

    /* What is neither an URL nor key=value is the name of a database. */
    if (dsnd_str_find(text, DSND_STR("://")) == SIZE_MAX && dsnd_str_chr(text, '=') == SIZE_MAX)
        return true;
    options = PQconninfoParse(url, &why);
    PQfreemem(why);
    PQconninfoFree(options);
    return options != NULL;
}

static enum dsnd_err connect_to(struct store_conn *self, const char *application)
{
    char timeout[16];
    /* What the URL says stands behind our defaults and so wins over them. */
    const char *keys[] = {"connect_timeout", "tcp_user_timeout", "dbname",
                          "fallback_application_name", NULL};
    const char *values[] = {timeout, "20000", self->url, application, NULL};

    if (snprintf(timeout, sizeof(timeout), "%d", PG_CONNECT_TIMEOUT_S) < 0)
        return DSND_ERR_NOMEM;
    self->pg = PQconnectdbParams(keys, values, 1);
    if (!self->pg)
        return DSND_ERR_NOMEM;
    if (PQstatus(self->pg) != CONNECTION_OK) {
        self->broken = true;
        pg_set_error(self, "%s", PQerrorMessage(self->pg));
        self->error[strcspn(self->error, "\n")] = '\0';
        return DSND_ERR_UNAVAILABLE;
    }
    (void)PQsetNoticeProcessor(self->pg, ignore_notice, NULL);
    if (PQsetnonblocking(self->pg, 1) != 0)
        return DSND_ERR_NOMEM;
    return DSND_OK;
}

static enum dsnd_err set_session(struct store_conn *self)
{
    char sql[sizeof(session_format) + 64];

    if (snprintf(sql, sizeof(sql), session_format, PG_STATEMENT_TIMEOUT_MS, PG_LOCK_TIMEOUT_MS,
                 PG_ANSWER_TIMEOUT_MS) < 0)
        return DSND_ERR_NOMEM;
    return pg_run_text(self, sql);
}

enum dsnd_err pg_open(const char *url, const char *application, struct store_conn **ret_conn)
{
    struct store_conn *self = calloc(1, sizeof(*self));
    enum dsnd_err err;

    *ret_conn = NULL;
    if (!self)
        return DSND_ERR_NOMEM;
    self->url = strdup(url);
    self->answer_ms = PG_ANSWER_TIMEOUT_MS;
    err = self->url ? connect_to(self, application) : DSND_ERR_NOMEM;
    if (!err)
        err = set_session(self);
    if (err == DSND_ERR_NOMEM) {
        store_conn_free(self);
        return err;
    }
    *ret_conn = self;
    return err;
}

enum dsnd_err store_conn_limit(struct store_conn *self, unsigned ms)
{
    char sql[64];
    enum dsnd_err err;

    if (self->limit_ms == ms)
        return DSND_OK;
    if (snprintf(sql, sizeof(sql), "SET statement_timeout = %u", ms) < 0)
        return DSND_ERR_UNAVAILABLE;
    err = pg_run_text(self, sql);
    if (err)
        return err;
    self->limit_ms = ms;
    if (self->answer_ms < INT64_MAX)
        self->answer_ms = (int64_t)ms + ms / PG_ANSWER_SPARE;
    return DSND_OK;
}

bool store_conn_was_slow(const struct store_conn *self)
{
    return strcmp(self->sqlstate, "57014") == 0; /* query_canceled */
}

enum dsnd_err pg_check_version(struct store_conn *self)
{
    PGresult *result = NULL;
    enum dsnd_err err = pg_run(self, STATEMENT_SCHEMA_VERSION, NULL, &result);
    int version = 0;

    if (!err)
        version = pg_i32(result, 0, 0);
    else if (err != DSND_ERR_VERSION) /* that one: there is no schema at all */
        return err;
    PQclear(result);
    if (version == store_schema_version)
        return DSND_OK;
    if (version < store_schema_version)
        pg_set_error(self, "the schema has version %d, this program needs %d: run dsnd migrate",
                     version, store_schema_version);
    else
        pg_set_error(self,
                     "the schema has version %d, this program knows only %d: "
                     "install the dsnd that ran dsnd migrate last",
                     version, store_schema_version);
    return DSND_ERR_VERSION;
}

enum dsnd_err store_connect(const char *url, const char *application, struct store_conn **ret_conn)
{
    enum dsnd_err err = pg_open(url, application, ret_conn);

    return err ? err : pg_check_version(*ret_conn);
}

void store_conn_free(struct store_conn *self)
{
    if (!self)
        return;
    PQfinish(self->pg);
    free(self->url);
    free(self->types);
    ZSTD_freeCCtx(self->zstd);
    free(self);
}

const char *store_conn_error(const struct store_conn *self)
{
    return self->error;
}

bool pg_alive(struct store_conn *self)
{
    struct pollfd fd;

    if (self->broken || PQstatus(self->pg) != CONNECTION_OK)
        return false;
    fd = (struct pollfd){.fd = PQsocket(self->pg), .events = POLLIN};
    /* An idle server says nothing unless it says goodbye, and what else it may say (a changed
     * setting) is rare enough to pay for with a new connection. */
    if (poll(&fd, 1, 0) != 0)
        self->broken = true;
    return !self->broken;
}
