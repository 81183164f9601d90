#include "api/server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/daemon.h"
#include "api/health.h"
#include "api/listen.h"
#include "base/clock.h"
#include "parse/provider.h"

enum {
    QUICK_LIMIT_MS = 50,
    POOL_SPARE = 2,        /* connections for the thread that serves waiters, and for readiness */
    LEAVE_GRACE_MS = 5000, /* for requests of the daemon before the last, at a reload */
};

void api_settings_init(struct api_settings *self)
{
    *self = (struct api_settings){
        .listen = "127.0.0.1:8080",
        .metrics_listen = "",
        .tls_cert = "",
        .tls_key = "",
        .domain = "",
        .threads = 4,
        .max_connections = 10000,
        .max_per_client = 1000,
        .request_timeout_ms = 30000,
        .idle_timeout_ms = 60000,
        .max_body = 4 * 1024 * 1024,
        .requests_per_second = 1000,
        .requests_burst = 20000,
    };
}

/* ---- listeners ---- */

static enum dsnd_err start_http(struct api *self, const struct api_settings *settings, char *error,
                                size_t error_size)
{
    struct api_listener *listener = &self->http;
    enum dsnd_err err = listen_read_pair(settings, listener, error, error_size);

    if (!err)
        err = listen_open(settings->listen, &listener->fd, &listener->port, error, error_size);
    if (err)
        return err;
    self->daemon = daemon_start(self, listener);
    if (self->daemon)
        return DSND_OK;
    (void)snprintf(error, error_size, "the server does not start on %s%s", settings->listen,
                   listener->tls_cert ? ": certificate and key do not fit together" : "");
    return listener->tls_cert ? DSND_ERR_SYNTAX : DSND_ERR_IO;
}

static enum dsnd_err start_metrics(struct api *self, const struct api_settings *settings,
                                   char *error, size_t error_size)
{
    struct api_listener *listener = &self->metrics;
    enum dsnd_err err;

    if (!settings->metrics_listen || !settings->metrics_listen[0])
        return DSND_OK;
    err = listen_open(settings->metrics_listen, &listener->fd, &listener->port, error, error_size);
    if (err)
        return err;
    self->health = health_start(self, listener->fd);
    if (self->health)
        return DSND_OK;
    (void)snprintf(error, error_size, "the metrics listener does not start");
    return DSND_ERR_IO;
}

/* ---- life ---- */

static enum dsnd_err set_keys(struct api *self, const struct api_settings *settings)
{
    struct api_keys *next = calloc(1, sizeof(*next));
    char error[256];
    enum dsnd_err err = next ? DSND_OK : DSND_ERR_NOMEM;

    if (!err && dsnd_str_present(settings->providers))
        err = provider_set_read(settings->providers, error, sizeof(error), &next->providers);
    if (err) {
        free(next);
        return err;
    }
    if (settings->keys)
        next->keys = *settings->keys;
    next->previous = atomic_load(&self->keys);
    atomic_store(&self->keys, next);
    return DSND_OK;
}

/* A statement ends before its request has to, so that there is time to say so. */
static unsigned statement_limit(const struct api_settings *settings)
{
    uint64_t ms = settings->request_timeout_ms / 5 * 4;

    return ms < 1 ? 1 : ms > INT32_MAX ? INT32_MAX : (unsigned)ms;
}

static enum dsnd_err make_parts(struct api *self, const struct api_settings *settings)
{
    enum dsnd_err err = dsnd_str_copy(dsnd_str_of(settings->domain ? settings->domain : ""),
                                      self->domain, sizeof(self->domain));

    if (!err)
        err = set_keys(self, settings);
    if (!err)
        err = auth_new(&self->auth);
    if (!err)
        err = limit_new(settings->requests_per_second, settings->requests_burst, &self->limit);
    if (!err)
        err = watch_new(&self->watch);
    if (!err)
        err = database_new(settings->database_url, "dsnd api", settings->threads + POOL_SPARE,
                           settings->threads, statement_limit(settings), &self->database);
    if (!err)
        err = database_new(settings->database_url, "dsnd api", settings->threads, 0, QUICK_LIMIT_MS,
                           &self->quick);
    if (!err)
        err = waiters_new(self->database, &self->waiters);
    if (!err)
        err = workers_new(settings->threads, &self->workers);
    return err;
}

static void free_keys(struct api *self)
{
    struct api_keys *keys = atomic_load(&self->keys);

    while (keys) {
        struct api_keys *previous = keys->previous;

        provider_set_free(keys->providers);
        explicit_bzero(keys, sizeof(*keys));
        free(keys);
        keys = previous;
    }
}

static void free_api(struct api *self, unsigned grace_ms)
{
    int64_t until_ms = dsnd_clock_monotonic_ms() + grace_ms;

    waiters_stop(self->waiters);
    daemon_stop(self->leaving, until_ms);
    daemon_stop(self->daemon, until_ms);
    if (self->health) {
        (void)MHD_quiesce_daemon(self->health);
        MHD_stop_daemon(self->health);
    }
    workers_free(self->workers);
    waiters_free(self->waiters);
    database_free(self->quick);
    database_free(self->database);
    watch_free(self->watch);
    limit_free(self->limit);
    auth_free(self->auth);
    free_keys(self);
    listen_close(&self->metrics);
    listen_close(&self->http);
    free(self);
}

enum dsnd_err api_start(const struct api_settings *settings, struct api **ret_api, char *error,
                        size_t error_size)
{
    struct api *self = calloc(1, sizeof(*self));
    enum dsnd_err err;

    if (!self)
        return DSND_ERR_NOMEM;
    self->settings = *settings;
    self->http.fd = -1;
    self->metrics.fd = -1;
    (void)snprintf(error, error_size, "out of memory or threads");
    err = make_parts(self, settings);
    if (!err)
        err = start_http(self, settings, error, error_size);
    if (!err)
        err = start_metrics(self, settings, error, error_size);
    if (err)
        free_api(self, 0);
    else
        *ret_api = self;
    return err;
}

static enum dsnd_err reload_tls(struct api *self, const struct api_settings *settings, char *error,
                                size_t error_size)
{
    struct api_listener next = {.fd = self->http.fd, .port = self->http.port};
    struct api_daemon *daemon;
    enum dsnd_err err = listen_read_pair(settings, &next, error, error_size);

    if (err)
        return err;
    /* A second daemon on the same socket takes new connections with the new pair. */
    daemon = daemon_start(self, &next);
    if (!daemon) {
        next.fd = -1;
        listen_close(&next);
        (void)snprintf(error, error_size, "certificate and key do not fit together");
        return DSND_ERR_SYNTAX;
    }
    daemon_stop(self->leaving, dsnd_clock_monotonic_ms() + LEAVE_GRACE_MS);
    daemon_quiesce(self->daemon);
    self->leaving = self->daemon;
    self->daemon = daemon;
    self->http.fd = -1;
    listen_close(&self->http);
    self->http = next;
    return DSND_OK;
}

enum dsnd_err api_reload(struct api *self, const struct api_settings *settings, char *error,
                         size_t error_size)
{
    enum dsnd_err err = DSND_OK;

    if (self->http.tls_cert)
        err = reload_tls(self, settings, error, error_size);
    if (!err)
        err = set_keys(self, settings);
    return err;
}

void api_stop(struct api *self, unsigned grace_ms)
{
    if (!self)
        return;
    atomic_store(&self->stopping, true);
    daemon_quiesce(self->daemon);
    free_api(self, grace_ms);
}

uint16_t api_port(const struct api *self)
{
    return self->http.port;
}

uint16_t api_metrics_port(const struct api *self)
{
    return self->metrics.port;
}

bool api_ready(struct api *self)
{
    return database_up(self->database);
}
