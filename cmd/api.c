/*
 * dsnd api: the HTTP API. Talks to the database only.
 */
#include <errno.h>
#include <malloc.h>
#include <string.h>

#include "api/server.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cmd/arguments.h"
#include "cmd/child.h"
#include "cmd/commands.h"
#include "cmd/material.h"
#include "cmd/reload.h"

enum {
    API_DRAIN_MAX_MS = 10000,
    API_KEPT_OCTETS = 32 * 1024 * 1024, /* of free memory, for what the next page of rows needs */
};

struct api_process {
    struct settings *settings;
    struct return_path_keys keys;
    struct dsnd_buf providers;
    char domain[256];
    struct api *server;
};

static enum dsnd_err make_settings(struct api_process *self, const struct settings *settings,
                                   struct api_settings *ret_settings,
                                   struct config_error *ret_error)
{
    struct dsnd_str domain = arguments_first(settings->smtp.domains);
    enum dsnd_err err = material_keys(settings, &self->keys, ret_error);

    dsnd_buf_clear(&self->providers);
    if (!err)
        err = material_providers(settings, &self->providers, ret_error);
    if (err)
        return err;
    if (dsnd_str_copy(domain, self->domain, sizeof(self->domain)) != DSND_OK)
        self->domain[0] = '\0'; /* none, or longer than a domain can be */
    api_settings_init(ret_settings);
    ret_settings->listen = settings->http.listen;
    ret_settings->metrics_listen = settings->metrics.listen;
    ret_settings->tls_cert = settings->http.tls_cert;
    ret_settings->tls_key = settings->http.tls_key;
    ret_settings->database_url = settings->database.url;
    ret_settings->domain = self->domain;
    ret_settings->keys = &self->keys;
    if (self->providers.len)
        ret_settings->providers = dsnd_buf_str(&self->providers);
    ret_settings->threads = (unsigned)settings->http.threads;
    ret_settings->max_connections = (unsigned)settings->http.max_connections;
    ret_settings->max_per_client = (unsigned)settings->http.max_per_client;
    ret_settings->request_timeout_ms = settings->http.request_timeout;
    ret_settings->idle_timeout_ms = settings->http.idle_timeout;
    ret_settings->max_body = settings->http.max_body;
    ret_settings->requests_per_second = settings->http.rate;
    ret_settings->requests_burst = settings->http.burst;
    return DSND_OK;
}

/* Start the server, or reload it when it runs. `*ret_error` says what was wrong. */
static enum dsnd_err apply(struct api_process *self, const struct settings *settings,
                           struct config_error *ret_error)
{
    struct api_settings api;
    enum dsnd_err err = make_settings(self, settings, &api, ret_error);

    if (err)
        return err;
    if (self->server)
        return api_reload(self->server, &api, ret_error->text, sizeof(ret_error->text));
    return api_start(&api, &self->server, ret_error->text, sizeof(ret_error->text));
}

static void reload(struct api_process *self)
{
    static struct settings fresh;
    struct config_error error = {""};

    if (settings_reload(&fresh, &error) == DSND_OK && apply(self, &fresh, &error) == DSND_OK) {
        *self->settings = fresh;
        log_event(LOG_LEVEL_INFO, "api.reloaded", "domain=%s", self->domain);
        reload_done(&fresh, "api");
        return;
    }
    reload_failed("api.reload_failed", &error);
}

static void run(struct api_process *self)
{
    enum child_event event;

    log_event(LOG_LEVEL_INFO, "api.start", "listen=%s port=%u metrics_port=%u",
              self->settings->http.listen, api_port(self->server), api_metrics_port(self->server));
    child_ready();
    while ((event = child_wait(-1)) != CHILD_EVENT_STOP)
        if (event == CHILD_EVENT_RELOAD)
            reload(self);
    log_event(LOG_LEVEL_INFO, "api.drain", "at_most_ms=%d", API_DRAIN_MAX_MS);
    api_stop(self->server, API_DRAIN_MAX_MS);
}

int cmd_api(int argc, char **argv)
{
    static struct settings settings;
    struct api_process self = {.settings = &settings, .providers = DSND_BUF_INIT(1 << 20)};
    struct config_error error = {""};
    enum dsnd_err err;
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd api [-c FILE]\n\n"
        "Serves the HTTP API, and health and metrics on a listener of their own. SIGHUP reloads\n"
        "certificates, keys and providers; SIGTERM lets requests under way finish.\n",
        &settings);

    if (status >= 0)
        return status;
    /* Or a list that is streamed gives its memory back and asks for it again with every page. */
    (void)mallopt(M_TRIM_THRESHOLD, API_KEPT_OCTETS);
    (void)mallopt(M_MMAP_THRESHOLD, API_KEPT_OCTETS / 4);
    err = child_begin("api", METRICS_SLOT_API);
    if (!err)
        err = child_give_up_root(settings.process.user, true);
    if (!err)
        err = apply(&self, &settings, &error);
    if (err)
        log_event(LOG_LEVEL_CRIT, "api.failed", "error=\"%s\" detail=\"%s\" errno=\"%s\"",
                  dsnd_err_text(err), LOG_QUOTED(error.text),
                  err == DSND_ERR_IO && errno ? strerror(errno) : "");
    else
        run(&self);
    dsnd_buf_done(&self.providers);
    explicit_bzero(&self.keys, sizeof(self.keys));
    return child_exit_status(err);
}
