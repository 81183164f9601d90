#include "api/answer.h"

#include <microhttpd.h>

#include "base/log.h"
#include "base/metrics.h"

void answer_count(const struct request *request)
{
    static const enum metric metrics[] = {METRIC_HTTP_2XX, METRIC_HTTP_2XX, METRIC_HTTP_2XX,
                                          METRIC_HTTP_3XX, METRIC_HTTP_4XX, METRIC_HTTP_5XX};

    metrics_add(metrics[request->status / 100 % 6], 1);
    if (request->status >= 500)
        log_event(LOG_LEVEL_WARN, "http.failed", "status=%d path=%s reason=\"%s\"", request->status,
                  request->route ? "known" : "unknown", request->failure);
}

void answer_headers(const struct request *request, struct MHD_Response *response)
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
