#include "api/health.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/metrics.h"

enum {
    HEALTH_BODY_MAX = 1024 * 1024,
    HEALTH_CONNECTIONS = 100,
    HEALTH_TIMEOUT_S = 10,
};

struct page {
    int status;
    const char *content_type;
    struct dsnd_buf body;
};

static enum dsnd_err show_health(struct api *api, struct page *page)
{
    (void)api;
    return dsnd_buf_add(&page->body, DSND_STR("ok\n"));
}

static enum dsnd_err name_database(struct api *api, struct page *page)
{
    char why[256];
    char escaped[sizeof(why)];

    database_error(api->database, why, sizeof(why));
    return dsnd_buf_addf(&page->body, "not ready: database: %s\n",
                         log_quote(dsnd_str_of(why), escaped, sizeof(escaped)));
}

/* What keeps the service from its work, a line each. */
static enum dsnd_err show_readiness(struct api *api, struct page *page)
{
    bool stopping = atomic_load(&api->stopping);
    bool full = metrics_get(METRIC_JOURNAL_FULL) > 0;
    bool up = database_up(api->database);
    enum dsnd_err err = DSND_OK;

    if (up && !full && !stopping)
        return dsnd_buf_add(&page->body, DSND_STR("ok\n"));
    page->status = 503;
    if (!up)
        err = name_database(api, page);
    if (!err && full)
        err =
            dsnd_buf_add(&page->body, DSND_STR("not ready: journal: no more than journal.min_free "
                                               "is left, and mail is deferred\n"));
    if (!err && stopping)
        err = dsnd_buf_add(&page->body, DSND_STR("not ready: it ends\n"));
    return err;
}

static enum dsnd_err show_metrics(struct api *api, struct page *page)
{
    (void)api;
    page->content_type = "text/plain; version=0.0.4; charset=utf-8";
    return metrics_write(&page->body);
}

static const struct {
    const char *path;
    enum dsnd_err (*show)(struct api *api, struct page *page);
} pages[] = {
    {"/healthz", show_health},
    {"/readyz", show_readiness},
    {"/metrics", show_metrics},
};

static void make_page(struct api *api, const char *method, const char *path, struct page *page)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
        if (strcmp(path, pages[i].path) != 0)
            continue;
        page->status = 200;
        if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
            page->status = 405;
        else
            err = pages[i].show(api, page);
    }
    if (err)
        page->status = 500;
}

/* NOLINTNEXTLINE(readability-function-size): the signature is the library's */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *octets,
                                  size_t *octet_count, void **context)
{
    struct page page = {404, "text/plain; charset=utf-8", DSND_BUF_INIT(HEALTH_BODY_MAX)};
    struct MHD_Response *response;
    enum MHD_Result result;

    (void)version;
    (void)octets;
    (void)octet_count;
    (void)context;
    make_page(cls, method, url, &page);
    response = MHD_create_response_from_buffer(page.body.len, page.body.ptr, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        dsnd_buf_done(&page.body);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, "Content-Type", page.content_type);
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (page.status == 405)
        (void)MHD_add_response_header(response, "Allow", "GET, HEAD");
    result = MHD_queue_response(connection, (unsigned)page.status, response);
    MHD_destroy_response(response);
    return result;
}

struct MHD_Daemon *health_start(struct api *api, int fd)
{
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request,
                            api, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)HEALTH_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)HEALTH_TIMEOUT_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                            MHD_OPTION_END);
}
