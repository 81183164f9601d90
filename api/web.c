/*
 * GET / and /web/...: the dashboard, compiled in from api/web/. The pages hold no data: they ask
 * the API with the token that the person gives.
 */
#include "api/web.h"
#include "api/route.h"

static const struct asset {
    const char *path;
    const char *content_type;
    const char *text;
    const size_t *octets;
} assets[] = {
    {"/", "text/html; charset=utf-8", web_index_html, &web_index_html_octets},
    {"/web/app.js", "text/javascript; charset=utf-8", web_app_js, &web_app_js_octets},
    {"/web/chart.js", "text/javascript; charset=utf-8", web_chart_js, &web_chart_js_octets},
    {"/web/client.js", "text/javascript; charset=utf-8", web_client_js, &web_client_js_octets},
    {"/web/icon.svg", "image/svg+xml", web_icon_svg, &web_icon_svg_octets},
    {"/web/style.css", "text/css; charset=utf-8", web_style_css, &web_style_css_octets},
    {"/web/views.js", "text/javascript; charset=utf-8", web_views_js, &web_views_js_octets},
};

enum dsnd_err web_get(struct request *request, struct store_conn *conn)
{
    (void)conn;
    for (size_t i = 0; i < sizeof(assets) / sizeof(*assets); i++) {
        if (!dsnd_str_eq(request->path, dsnd_str_of(assets[i].path)))
            continue;
        request->status = 200;
        request->content_type = assets[i].content_type;
        request->is_page = true;
        return dsnd_buf_add(&request->out, dsnd_str_make(assets[i].text, *assets[i].octets));
    }
    return DSND_ERR_NOT_FOUND;
}
