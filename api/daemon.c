#include "api/daemon.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/admit.h"
#include "api/answer.h"
#include "api/dispatch.h"
#include "api/request_database.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/log.h"

enum {
    CONNECTION_MEMORY = 24 * 1024, /* of a request's head, and what libmicrohttpd needs */
    STREAM_BLOCK = 64 * 1024,
    AWAY_POLL_MS = 5,
};

struct api_daemon {
    struct api *api;
    struct MHD_Daemon *library;
    atomic_uint under_way; /* requests begun and not completed */
    atomic_uint away; /* of them suspended: the library must not be stopped before they are back */
    atomic_bool stopping;
};

/* ---- requests that others work on ---- */

/* From a callback. False where the daemon ends: nothing is begun any more. */
static bool suspend(struct request *request)
{
    struct api_daemon *self = request->daemon;

    (void)atomic_fetch_add(&self->away, 1);
    if (atomic_load(&self->stopping)) {
        (void)atomic_fetch_sub(&self->away, 1);
        return false;
    }
    MHD_suspend_connection(request->connection);
    return true;
}

void daemon_resume(struct request *request)
{
    struct api_daemon *self = request->daemon;

    MHD_resume_connection(request->connection); /* and the request is the library's again */
    (void)atomic_fetch_sub(&self->away, 1);
}

/* ---- the answer ---- */

static void make_page(struct request *request)
{
    dispatch_page(request);
    daemon_resume(request);
}

static ssize_t read_stream(void *cls, uint64_t position, char *dst, size_t max)
{
    struct request *request = cls;
    struct request_stream *stream = &request->stream;
    size_t len;

    (void)position;
    if (stream->taken == request->out.len && stream->next && !stream->failed) {
        /* Each page has its own deadline: a reader must take one within it. */
        request_may_take(request, (int64_t)request->api->settings.request_timeout_ms);
        if (suspend(request)) {
            workers_add(request->api->workers, request, make_page);
            return 0;
        }
        stream->failed = true;
    }
    len = request->out.len - stream->taken;
    if (stream->failed) {
        watch_break(request->api->watch, request->watch);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (len == 0)
        return stream->next ? 0 : MHD_CONTENT_READER_END_OF_STREAM;
    if (len > max)
        len = max;
    memcpy(dst, request->out.ptr + stream->taken, len);
    stream->taken += len;
    return (ssize_t)len;
}

static struct MHD_Response *make_response(struct request *request)
{
    struct dsnd_buf *out = &request->out;
    struct MHD_Response *response;

    if (request->stream.next) {
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                                     request, NULL);
        /* Of a body in chunks the library would send the end, though nobody asked for the body. */
        if (response && request->is_head)
            (void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
        if (request->is_old && !request->is_head)
            watch_unframed(request->api->watch, request->watch, request->daemon);
        return response;
    }
    /* The buffer goes with the response, which outlives the request. */
    response = MHD_create_response_from_buffer(out->len, out->ptr, MHD_RESPMEM_MUST_FREE);
    if (response)
        *out = DSND_BUF_INIT(REQUEST_BODY_OUT_MAX);
    return response;
}

static enum MHD_Result answer(struct request *request)
{
    struct MHD_Response *response = make_response(request);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    answer_count(request);
    answer_headers(request, response);
    result = MHD_queue_response(request->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- what the library calls ---- */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct api_daemon *daemon = cls;
    struct api *self = daemon->api;
    struct request *request = request_new(self, target);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    if (!request)
        return NULL;
    request->daemon = daemon;
    request->connection = connection;
    request->watch = info ? info->socket_context : NULL;
    request_may_take(request, (int64_t)self->settings.request_timeout_ms);
    (void)atomic_fetch_add(&daemon->under_way, 1);
    return request;
}

/* On one of the workers. */
static void make_answer(struct request *request)
{
    struct api *self = request->api;

    dispatch_run(request);
    if (request->waiting && waiters_add(self->waiters, request))
        return;
    if (request->waiting) {
        request->wait_over = true;
        dispatch_run(request);
    }
    daemon_resume(request);
}

/* The time for requests under way is over, and the connection about to be cut. */
static void refuse_at_end(struct request *request)
{
    request->asks_token = false;
    request_refuse(request, 503, NULL, "this server ends; try again");
    request_add_header(request, "Retry-After", DSND_STR("2"));
    (void)snprintf(request->failure, sizeof(request->failure), "%s", "the server ends");
}

static void find_token(struct request *request)
{
    admit_token(request);
    daemon_resume(request);
}

static enum MHD_Result take_head(struct request *request, const struct head_line *line)
{
    admit_begin(request, line);
    if (request->asks_token && suspend(request)) {
        request->is_resumed = true;
        workers_add(request->api->workers, request, find_token);
        return MHD_YES;
    }
    if (request->asks_token)
        refuse_at_end(request);
    return admit_refuses(request) ? answer(request) : MHD_YES;
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

        return take_head(request, &line);
    }
    if (request->is_resumed) {
        request->is_resumed = false;
        if (*octet_count == 0)
            return admit_refuses(request) ? answer(request) : MHD_YES;
    }
    if (*octet_count > 0) {
        bool more = dispatch_body(request, dsnd_str_make(octets, *octet_count));

        *octet_count = 0;
        return more ? MHD_YES : MHD_NO;
    }
    watch_reading(request->api->watch, request->watch, false);
    if (!request->answered && !dispatch_quick(request) && suspend(request)) {
        workers_add(request->api->workers, request, make_answer);
        return MHD_YES;
    }
    if (!request->answered)
        refuse_at_end(request);
    return answer(request);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct api_daemon *daemon = cls;
    struct api *self = daemon->api;
    struct request *request = *context;

    (void)connection;
    (void)code;
    if (!request)
        return;
    watch_set(self->watch, request->watch, (int64_t)self->settings.idle_timeout_ms);
    watch_reading(self->watch, request->watch, true);
    watch_unframed(self->watch, request->watch, NULL);
    (void)atomic_fetch_sub(&daemon->under_way, 1);
    dispatch_end(request);
    request_free(request);
    *context = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct api *self = ((struct api_daemon *)cls)->api;
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

/* ---- life ---- */

static struct MHD_Daemon *start_library(struct api_daemon *self,
                                        const struct api_listener *listener)
{
    const struct api_settings *settings = &self->api->settings;
    unsigned timeout_s = (unsigned)((settings->idle_timeout_ms + 999) / 1000);
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
        MHD_OPTION_LISTEN_SOCKET, listener->fd, MHD_OPTION_THREAD_POOL_SIZE, settings->threads,
        MHD_OPTION_CONNECTION_LIMIT, settings->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        settings->max_per_client, MHD_OPTION_CONNECTION_TIMEOUT, timeout_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_URI_LOG_CALLBACK, on_target, self, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
        self, MHD_OPTION_NOTIFY_COMPLETED, on_completed, self, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, self, MHD_OPTION_ARRAY, listener->tls_cert ? tls : none, MHD_OPTION_END);
}

struct api_daemon *daemon_start(struct api *api, const struct api_listener *listener)
{
    struct api_daemon *self = calloc(1, sizeof(*self));

    if (!self)
        return NULL;
    self->api = api;
    self->library = start_library(self, listener);
    if (self->library)
        return self;
    free(self);
    return NULL;
}

void daemon_quiesce(struct api_daemon *self)
{
    (void)MHD_quiesce_daemon(self->library);
}

/* Until nothing is counted any more, or `until_ms`; those who wait for a change are answered. */
static void await_none(struct api_daemon *self, const atomic_uint *count, int64_t until_ms)
{
    struct timespec pause = {.tv_nsec = AWAY_POLL_MS * 1000000L};

    while (atomic_load(count) > 0 && dsnd_clock_monotonic_ms() < until_ms) {
        waiters_hurry(self->api->waiters);
        (void)nanosleep(&pause, NULL);
    }
}

void daemon_stop(struct api_daemon *self, int64_t until_ms)
{
    if (!self)
        return;
    daemon_quiesce(self);
    await_none(self, &self->under_way, until_ms);
    atomic_store(&self->stopping, true);
    await_none(self, &self->away, INT64_MAX);
    watch_reset(self->api->watch, self);
    MHD_stop_daemon(self->library);
    free(self);
}
