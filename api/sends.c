/*
 * POST /v1/sends: register what was sent: up to 10,000 lines of NDJSON with a result a line, or one
 * JSON object. Registering the same send again changes nothing.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "api/json_in.h"
#include "api/route.h"
#include "base/clock.h"
#include "parse/return_path.h"
#include "parse/provider.h"
#include "store/query_metrics.h"

enum { LINES_MAX = 10000, ID_MAX_OCTETS = 998 };

struct line {
    bool bad;
    struct params_error error;
    size_t send; /* index of the send it became */
};

struct batch {
    struct request *request;
    struct line *lines;
    struct store_send *sends;
    size_t line_count;
    size_t send_count;
    int64_t now_us;
};

static enum dsnd_err fail(struct params_error *error, const char *name, const char *detail)
{
    (void)snprintf(error->name, sizeof(error->name), "%s", name);
    (void)snprintf(error->detail, sizeof(error->detail), "%s", detail);
    return DSND_ERR_SYNTAX;
}

static enum dsnd_err copy(struct batch *batch, struct dsnd_str *view)
{
    return dsnd_arena_copy(&batch->request->arena, *view, view);
}

/* Without < and >, as reports are compared with it. */
static struct dsnd_str bare_id(struct dsnd_str id)
{
    if (id.len >= 2 && id.ptr[0] == '<' && id.ptr[id.len - 1] == '>')
        return dsnd_str_slice(id, 1, id.len - 1);
    return id;
}

/* The default ref of the recipient where there is none; one of that form names no other. */
static enum dsnd_err complete_ref(struct batch *batch, struct store_send *send,
                                  struct params_error *error)
{
    char ref[RETURN_PATH_REF_MAX + 1];
    bool is_given = dsnd_str_present(send->ref);
    enum dsnd_err err;

    if (is_given && !return_path_is_default_ref(send->ref) && !return_path_is_own_ref(send->ref))
        return fail(error, "ref", "begins like a default ref (h and 13 base32 characters)");
    if (is_given && !(dsnd_str_present(send->recipient) && return_path_is_default_ref(send->ref)))
        return copy(batch, &send->ref);
    err = return_path_default_ref(send->recipient, ref);
    if (!err && is_given && !dsnd_str_eq(send->ref, dsnd_str_of(ref)))
        return fail(error, "ref", "is the default ref of another address");
    send->ref = dsnd_str_of(ref);
    return err ? err : copy(batch, &send->ref);
}

/* The ref, and the provider of the recipient's domain. */
static enum dsnd_err complete(struct batch *batch, struct store_send *send,
                              struct params_error *error)
{
    size_t at;
    enum dsnd_err err;

    if (!dsnd_str_present(send->campaign))
        return fail(error, "campaign", "is missing");
    if (!dsnd_str_present(send->ref) && !dsnd_str_present(send->recipient))
        return fail(error, "recipient", "or ref must be given");
    err = complete_ref(batch, send, error);
    at = dsnd_str_rchr(send->recipient, '@');
    send->provider =
        at == SIZE_MAX ? DSND_STR("")
                       : provider_of(request_providers(batch->request),
                                     dsnd_str_slice(send->recipient, at + 1, send->recipient.len));
    if (!dsnd_str_present(send->provider))
        send->provider = DSND_STR("");
    send->message_id = bare_id(send->message_id);
    if (!err)
        err = copy(batch, &send->campaign);
    if (!err)
        err = copy(batch, &send->recipient);
    if (!err)
        err = copy(batch, &send->message_id);
    return err ? err : copy(batch, &send->envelope_id);
}

static enum dsnd_err read_send(struct batch *batch, json_t *object, struct params_error *error)
{
    static const struct member_spec specs[] = {
        {"campaign", MEMBER_KEY, offsetof(struct store_send, campaign), SIZE_MAX, 0},
        {"recipient", MEMBER_ADDRESS, offsetof(struct store_send, recipient), SIZE_MAX, 0},
        {"ref", MEMBER_REF, offsetof(struct store_send, ref), SIZE_MAX, 0},
        {"message_id", MEMBER_STRING, offsetof(struct store_send, message_id), SIZE_MAX,
         ID_MAX_OCTETS},
        {"envelope_id", MEMBER_STRING, offsetof(struct store_send, envelope_id), SIZE_MAX,
         ID_MAX_OCTETS},
        {"sent_at", MEMBER_TIME, offsetof(struct store_send, sent_us), SIZE_MAX, 0},
    };
    struct store_send send = {.sent_us = batch->now_us};
    enum dsnd_err err =
        json_in_members(object, specs, sizeof(specs) / sizeof(*specs), &send, error);

    if (!err)
        err = complete(batch, &send, error);
    if (!err)
        batch->sends[batch->send_count++] = send;
    return err;
}

static enum dsnd_err read_line(struct batch *batch, struct dsnd_str text)
{
    struct line *line = &batch->lines[batch->line_count++];
    json_t *object = NULL;
    enum dsnd_err err = json_in_parse(text, false, &object, &line->error);

    line->send = batch->send_count;
    if (!err)
        err = read_send(batch, object, &line->error);
    json_decref(object);
    line->bad = err == DSND_ERR_SYNTAX;
    return line->bad ? DSND_OK : err;
}

/* True where all lines could be read, each for itself. */
static bool read_lines(struct batch *batch, enum dsnd_err *ret_err)
{
    struct dsnd_str text = dsnd_buf_str(&batch->request->body);

    while (text.len > 0 && !*ret_err) {
        struct dsnd_str line = dsnd_str_trim(dsnd_str_cut(&text, '\n'));

        if (line.len == 0)
            continue;
        if (batch->line_count == LINES_MAX) {
            request_problem(batch->request, 413, "body", "at most %d lines are allowed",
                            (int)LINES_MAX);
            return false;
        }
        *ret_err = read_line(batch, line);
    }
    if (batch->line_count == 0) {
        request_problem(batch->request, 400, "body", "body holds no line");
        return false;
    }
    return *ret_err == DSND_OK;
}

static void write_result(struct json_out *json, const struct batch *batch, size_t number,
                         const struct store_rows *rows)
{
    const struct line *line = &batch->lines[number];
    bool created = false;

    json_out_object(json);
    json_out_name(json, "line");
    json_out_int(json, (int64_t)number + 1);
    json_out_name(json, "result");
    if (line->bad) {
        json_out_str(json, DSND_STR("error"));
        json_out_name(json, "parameter");
        json_out_str(json, dsnd_str_of(line->error.name));
        json_out_name(json, "detail");
        json_out_str(json, dsnd_str_of(line->error.detail));
    } else {
        created = dsnd_str_eq(store_rows_value(rows, line->send, 0), DSND_STR("true"));
        json_out_str(json, created ? DSND_STR("created") : DSND_STR("exists"));
        json_out_name(json, "ref");
        json_out_str(json, batch->sends[line->send].ref);
    }
    json_out_object_end(json);
}

static enum dsnd_err write_results(const struct batch *batch, const struct store_rows *rows)
{
    struct json_out json;

    request_json(batch->request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "data");
    json_out_array(&json);
    for (size_t i = 0; i < batch->line_count; i++)
        write_result(&json, batch, i, rows);
    json_out_array_end(&json);
    json_out_object_end(&json);
    return request_json_end(batch->request, &json);
}

static bool one_object(const struct request *request)
{
    struct dsnd_str type = request_header(request, "Content-Type");

    return dsnd_str_istarts(type, DSND_STR("application/json"));
}

static enum dsnd_err read_body(struct batch *batch, bool *ret_good)
{
    enum dsnd_err err = DSND_OK;

    *ret_good = false;
    if (!one_object(batch->request)) {
        *ret_good = read_lines(batch, &err);
        return err;
    }
    err = read_line(batch, dsnd_buf_str(&batch->request->body));
    if (!err && batch->lines[0].bad)
        request_problem_of(batch->request, 400, &batch->lines[0].error);
    else
        *ret_good = !err;
    return err;
}

enum dsnd_err sends_post(struct request *request, struct store_conn *conn)
{
    struct batch batch = {.request = request, .now_us = dsnd_clock_now_us()};
    struct store_rows *rows = NULL;
    bool good = false;
    enum dsnd_err err;

    if (!request_params(request, NULL, 0, NULL))
        return DSND_OK;
    batch.lines = dsnd_arena_array(&request->arena, LINES_MAX, sizeof(*batch.lines));
    batch.sends = dsnd_arena_array(&request->arena, LINES_MAX, sizeof(*batch.sends));
    if (!batch.lines || !batch.sends)
        return DSND_ERR_NOMEM;
    err = read_body(&batch, &good);
    if (err || !good)
        return err;
    if (batch.send_count > 0)
        err = store_send_add(conn, batch.sends, batch.send_count, &rows);
    if (!err)
        err = write_results(&batch, rows);
    store_rows_free(rows);
    return err;
}
