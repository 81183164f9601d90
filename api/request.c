#include "api/request.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

struct request *request_new(struct api *api, const char *target)
{
    struct request *self = calloc(1, sizeof(*self));

    if (!self)
        return NULL;
    self->target = strdup(target);
    if (!self->target) {
        free(self);
        return NULL;
    }
    self->api = api;
    self->arena = DSND_ARENA_INIT(REQUEST_ARENA_MAX);
    self->out = DSND_BUF_INIT(REQUEST_BODY_OUT_MAX);
    return self;
}

void request_free(struct request *self)
{
    if (!self)
        return;
    dsnd_buf_done(&self->body);
    dsnd_buf_done(&self->out);
    dsnd_arena_done(&self->arena);
    free(self->target);
    free(self);
}

struct dsnd_str request_header(const struct request *self, const char *name)
{
    return dsnd_str_of(MHD_lookup_connection_value(self->connection, MHD_HEADER_KIND, name));
}

void request_add_header(struct request *self, const char *name, struct dsnd_str value)
{
    struct dsnd_str copy;

    if (self->header_count == REQUEST_HEADERS_MAX ||
        dsnd_arena_copy(&self->arena, value, &copy) != DSND_OK)
        return;
    self->headers[self->header_count++] = (struct request_header){name, copy.ptr};
}

void request_json(struct request *self, int status, struct json_out *ret_json)
{
    dsnd_buf_clear(&self->out);
    self->status = status;
    self->content_type = "application/json";
    json_out_init(ret_json, &self->out);
}

enum dsnd_err request_json_end(struct request *self, const struct json_out *json)
{
    return json->err ? json->err : dsnd_buf_add_char(&self->out, '\n');
}

void request_empty(struct request *self, int status)
{
    dsnd_buf_clear(&self->out);
    self->status = status;
    self->content_type = NULL;
}

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } rows[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].status == status)
            return rows[i].title;
    return "Error";
}

static void write_problem(struct request *self, int status, struct dsnd_str parameter,
                          struct dsnd_str detail)
{
    struct json_out json;

    memset(&self->stream, 0, sizeof(self->stream));
    request_json(self, status, &json);
    self->content_type = "application/problem+json";
    json_out_object(&json);
    json_out_name(&json, "type");
    json_out_str(&json, DSND_STR("about:blank"));
    json_out_name(&json, "title");
    json_out_str(&json, dsnd_str_of(title_of(status)));
    json_out_name(&json, "status");
    json_out_int(&json, status);
    json_out_name(&json, "detail");
    json_out_str(&json, detail);
    if (dsnd_str_present(parameter)) {
        json_out_name(&json, "parameter");
        json_out_str(&json, parameter);
    }
    json_out_object_end(&json);
    if (request_json_end(self, &json))
        request_empty(self, status);
}

void request_problem(struct request *self, int status, const char *parameter, const char *format,
                     ...)
{
    char detail[512];
    va_list args;

    va_start(args, format);
    if (vsnprintf(detail, sizeof(detail), format, args) < 0)
        detail[0] = '\0';
    va_end(args);
    write_problem(self, status, dsnd_str_of(parameter), dsnd_str_of(detail));
}

void request_refuse(struct request *self, int status, const char *parameter, const char *detail)
{
    request_problem(self, status, parameter, "%s", detail);
    self->answered = true;
}

void request_problem_of(struct request *self, int status, const struct params_error *error)
{
    request_problem(self, status, error->name, "%s %s", error->name, error->detail);
}

bool request_params(struct request *self, const struct param_spec *specs, size_t count,
                    void *target)
{
    struct params_error error;

    if (params_read(&self->params, specs, count, &self->arena, target, &error) == DSND_OK)
        return true;
    request_problem_of(self, 400, &error);
    return false;
}
