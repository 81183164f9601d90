#include "api/server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/dispatch.h"
#include "api/health.h"
#include "api/listen.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "parse/provider.h"

enum {
    CONNECTION_MEMORY = 24 * 1024, /* of a request's head, and what libmicrohttpd needs */
    STREAM_BLOCK = 64 * 1024,
    POOL_SPARE = 2, /* connections for the thread that serves waiters, and for readiness */
    LEAVE_POLL_MS = 20,
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

/* ---- one request ---- */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct api *self = cls;
    struct request *request = request_new(self, target);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (!request)
        return NULL;
    request->connection = connection;
    request->watch = info ? info->socket_context : NULL;
    watch_set(self->watch, request->watch, (int64_t)self->settings.request_timeout_ms);
    (void)atomic_fetch_add(&self->under_way, 1);
    return request;
}

static ssize_t read_stream(void *cls, uint64_t position, char *dst, size_t max)
{
    struct request *request = cls;
    bool end = request->stream.next == NULL;
    size_t len;

    (void)position;
    if (request->stream.taken == request->out.len && !end) {
        dsnd_buf_clear(&request->out);
        request->stream.taken = 0;
        /* Each page has its own deadline: a reader must take one within it. */
        watch_set(request->api->watch, request->watch,
                  (int64_t)request->api->settings.request_timeout_ms);
        if (dispatch_stream(request, &end) != DSND_OK)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (end)
            request->stream.next = NULL;
    }
    len = request->out.len - request->stream.taken;
    if (len == 0)
        return end ? MHD_CONTENT_READER_END_OF_STREAM : 0;
    if (len > max)
        len = max;
    memcpy(dst, request->out.ptr + request->stream.taken, len);
    request->stream.taken += len;
    return (ssize_t)len;
}

static struct MHD_Response *make_response(struct request *request)
{
    struct dsnd_buf *out = &request->out;
    struct MHD_Response *response;

    if (request->stream.next)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                                 request, NULL);
    /* The buffer goes with the response, which outlives the request. */
    response = MHD_create_response_from_buffer(out->len, out->ptr, MHD_RESPMEM_MUST_FREE);
    if (response)
        *out = DSND_BUF_INIT(REQUEST_BODY_OUT_MAX);
    return response;
}

static void count_answer(const struct request *request)
{
    static const enum metric metrics[] = {METRIC_HTTP_2XX, METRIC_HTTP_2XX, METRIC_HTTP_2XX,
                                          METRIC_HTTP_3XX, METRIC_HTTP_4XX, METRIC_HTTP_5XX};

    metrics_add(metrics[request->status / 100 % 6], 1);
    if (request->status >= 500)
        log_event(LOG_LEVEL_WARN, "http.failed", "status=%d path=%s reason=\"%s\"", request->status,
                  request->route ? "known" : "unknown", request->failure);
}

static void add_headers(struct MHD_Response *response, const struct request *request)
{
    static const char *const common[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Vary", "Accept, Authorization"},
    };

    static const char data_policy[] = "default-src 'none'; frame-ancestors 'none'; sandbox";
    static const char page_policy[] =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "
        "'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    (void)MHD_add_response_header(response, "Content-Security-Policy",
                                  request->is_page ? page_policy : data_policy);
    for (size_t i = 0; i < sizeof(common) / sizeof(*common); i++)
        (void)MHD_add_response_header(response, common[i][0], common[i][1]);
    (void)MHD_add_response_header(response, "Cache-Control",
                                  request->method == REQUEST_GET ? "private, no-cache"
                                                                 : "no-store");
    if (request->content_type)
        (void)MHD_add_response_header(response, "Content-Type", request->content_type);
    for (size_t i = 0; i < request->header_count; i++)
        (void)MHD_add_response_header(response, request->headers[i].name,
                                      request->headers[i].value);
    if (request->must_close)
        (void)MHD_add_response_header(response, "Connection", "close");
}

static enum MHD_Result answer(struct request *request)
{
    struct MHD_Response *response = make_response(request);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    count_answer(request);
    add_headers(response, request);
    result = MHD_queue_response(request->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
}

/* NOLINTNEXTLINE(readability-function-size): the signature is the library's */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *octets,
                                  size_t *octet_count, void **context)
{
    struct request *request = *context;

    (void)cls;
    (void)connection;
    if (!request)
        return MHD_NO;
    if (!request->begun) {
        const struct head_line line = {method, url, request->target, version};

        return dispatch_begin(request, &line) ? answer(request) : MHD_YES;
    }
    if (*octet_count > 0) {
        bool more = dispatch_body(request, dsnd_str_make(octets, *octet_count));

        *octet_count = 0;
        return more ? MHD_YES : MHD_NO;
    }
    dispatch_run(request);
    return request->waiting ? MHD_YES : answer(request);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct api *self = cls;
    struct request *request = *context;

    (void)connection;
    (void)code;
    if (!request)
        return;
    watch_set(self->watch, request->watch, (int64_t)self->settings.idle_timeout_ms);
    (void)atomic_fetch_sub(&self->under_way, 1);
    dispatch_end(request);
    request_free(request);
    *context = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct api *self = cls;
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        watch_remove(self->watch, *context);
        *context = NULL;
        return;
    }
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info)
        *context =
            watch_add(self->watch, info->connect_fd, (int64_t)self->settings.request_timeout_ms);
}

/* Paths and values are decoded by our own strict decoder. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *cls, const char *format,
                                                         va_list args)
{
    char text[512];
    char escaped[sizeof(text)];

    (void)cls;
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        return;
    log_event(LOG_LEVEL_DEBUG, "http.library", "text=%s",
              log_escape(dsnd_str_trim(dsnd_str_of(text)), escaped, sizeof(escaped)));
}

/* ---- listeners ---- */

static struct MHD_Daemon *start_daemon(struct api *self, const struct api_listener *listener)
{
    unsigned timeout_s = (unsigned)((self->settings.idle_timeout_ms + 999) / 1000);
    char priorities[] = "SECURE128:+SECURE192:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, listener->tls_key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, listener->tls_cert},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (listener->tls_cert ? MHD_USE_TLS : 0);

    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, self, MHD_OPTION_EXTERNAL_LOGGER, on_log, self,
        MHD_OPTION_LISTEN_SOCKET, listener->fd, MHD_OPTION_THREAD_POOL_SIZE, self->settings.threads,
        MHD_OPTION_CONNECTION_LIMIT, self->settings.max_connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, self->settings.max_per_client,
        MHD_OPTION_CONNECTION_TIMEOUT, timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
        on_target, self, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, self,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, self, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, self, MHD_OPTION_ARRAY, listener->tls_cert ? tls : none, MHD_OPTION_END);
}

static enum dsnd_err start_http(struct api *self, const struct api_settings *settings, char *error,
                                size_t error_size)
{
    struct api_listener *listener = &self->http;
    enum dsnd_err err = listen_read_pair(settings, listener, error, error_size);

    if (!err)
        err = listen_open(settings->listen, &listener->fd, &listener->port, error, error_size);
    if (err)
        return err;
    listener->daemon = start_daemon(self, listener);
    if (listener->daemon)
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
    listener->daemon = health_start(self, listener->fd);
    if (listener->daemon)
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
        err = waiters_new(self->database, &self->waiters);
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

/* Quiesced first, so that the listening socket stays ours to close. */
static void stop_daemon(struct MHD_Daemon *daemon)
{
    if (!daemon)
        return;
    (void)MHD_quiesce_daemon(daemon);
    MHD_stop_daemon(daemon);
}

static void free_api(struct api *self)
{
    waiters_stop(self->waiters);
    stop_daemon(self->metrics.daemon);
    stop_daemon(self->http.leaving);
    stop_daemon(self->http.daemon);
    waiters_free(self->waiters);
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
        free_api(self);
    else
        *ret_api = self;
    return err;
}

static enum dsnd_err reload_tls(struct api *self, const struct api_settings *settings, char *error,
                                size_t error_size)
{
    struct api_listener next = {.fd = self->http.fd, .port = self->http.port};
    enum dsnd_err err = listen_read_pair(settings, &next, error, error_size);

    if (err)
        return err;
    /* A second daemon on the same socket takes new connections with the new pair. */
    next.daemon = start_daemon(self, &next);
    if (!next.daemon) {
        next.fd = -1;
        listen_close(&next);
        (void)snprintf(error, error_size, "certificate and key do not fit together");
        return DSND_ERR_SYNTAX;
    }
    stop_daemon(self->http.leaving);
    (void)MHD_quiesce_daemon(self->http.daemon);
    next.leaving = self->http.daemon;
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
    int64_t until = dsnd_clock_monotonic_ms() + grace_ms;

    if (!self)
        return;
    atomic_store(&self->stopping, true);
    (void)MHD_quiesce_daemon(self->http.daemon);
    waiters_stop(self->waiters);
    while (atomic_load(&self->under_way) > 0 && dsnd_clock_monotonic_ms() < until) {
        struct timespec pause = {.tv_nsec = LEAVE_POLL_MS * 1000000L};

        (void)nanosleep(&pause, NULL);
    }
    free_api(self);
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
