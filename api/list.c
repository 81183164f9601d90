#include "api/list.h"

#include <string.h>

const char *const list_formats[] = {"json", "ndjson", "csv", NULL};

struct stream_state {
    const struct list_spec *spec;
    const void *filter;
    struct cursor after;
    uint64_t left; /* rows that may still be written */
    enum request_format format;
    bool headed; /* the CSV head is written */
    char key_octets[CURSOR_TEXT_MAX];
};

/* The key of a row, as views into the rows and `texts`. */
static struct cursor key_of(const struct list_spec *spec, const struct store_rows *rows, size_t row,
                            char texts[CURSOR_KEYS_MAX][STORE_TEXT_SIZE])
{
    struct cursor cursor = {.count = spec->key_count};

    for (size_t i = 0; i < spec->key_count; i++)
        cursor.key[i] = store_rows_text(rows, row, spec->keys[i], texts[i]);
    return cursor;
}

static void write_row(struct json_out *json, const struct list_spec *spec,
                      const struct store_rows *rows, size_t row)
{
    json_out_object(json);
    if (spec->members)
        spec->members(json, rows, row);
    else
        rows_out_members(json, spec->fields, spec->field_count, rows, row);
    json_out_object_end(json);
}

/* ---- one page of JSON ---- */

/* The same request with another cursor. */
static void add_link(struct request *request, struct dsnd_str cursor)
{
    struct dsnd_buf link = DSND_BUF_INIT(16 * 1024);
    struct dsnd_str query = dsnd_str_of(request->target);
    enum dsnd_err err = dsnd_buf_addf(&link, "<%.*s?", DSND_STR_ARG(dsnd_str_cut(&query, '?')));

    while (!err && query.len > 0) {
        struct dsnd_str part = dsnd_str_cut(&query, '&');

        if (part.len > 0 && !dsnd_str_starts(part, DSND_STR("cursor=")))
            err = dsnd_buf_addf(&link, "%.*s&", DSND_STR_ARG(part));
    }
    if (!err)
        err = dsnd_buf_addf(&link, "cursor=%.*s>; rel=\"next\"", DSND_STR_ARG(cursor));
    /* '>' would end the link early; a target that holds one gets no link. */
    if (!err && dsnd_str_chr(dsnd_str_of(request->target), '>') == SIZE_MAX)
        request_add_header(request, "Link", dsnd_buf_str(&link));
    dsnd_buf_done(&link);
}

static enum dsnd_err write_page(struct request *request, const struct list_spec *spec,
                                const struct store_rows *rows, size_t limit)
{
    size_t count = store_rows_count(rows);
    bool more = count > limit;
    struct dsnd_buf text = DSND_BUF_INIT(2 * CURSOR_TEXT_MAX);
    struct json_out json;
    enum dsnd_err err = DSND_OK;

    request_json(request, 200, &json);
    json_out_object(&json);
    json_out_name(&json, "data");
    json_out_array(&json);
    for (size_t i = 0; i < count && i < limit; i++)
        write_row(&json, spec, rows, i);
    json_out_array_end(&json);
    json_out_name(&json, "next_cursor");
    if (more) {
        char texts[CURSOR_KEYS_MAX][STORE_TEXT_SIZE];
        struct cursor last = key_of(spec, rows, limit - 1, texts);

        err = cursor_encode(&last, spec->name, &text);
        json_out_str(&json, dsnd_buf_str(&text));
        add_link(request, dsnd_buf_str(&text));
    } else {
        json_out_null(&json);
    }
    json_out_object_end(&json);
    dsnd_buf_done(&text);
    return err ? err : request_json_end(request, &json);
}

/* ---- the whole list, page by page ---- */

/* Keep the key of the last row: the rows it points to are about to go. */
static enum dsnd_err keep_key(struct stream_state *state, const struct store_rows *rows)
{
    char texts[CURSOR_KEYS_MAX][STORE_TEXT_SIZE];
    struct cursor last = key_of(state->spec, rows, store_rows_count(rows) - 1, texts);
    size_t used = 0;

    for (size_t i = 0; i < last.count; i++) {
        if (last.key[i].len > sizeof(state->key_octets) - used)
            return DSND_ERR_LIMIT;
        if (last.key[i].len > 0)
            memcpy(state->key_octets + used, last.key[i].ptr, last.key[i].len);
        state->after.key[i] = dsnd_str_make(state->key_octets + used, last.key[i].len);
        used += last.key[i].len;
    }
    state->after.count = last.count;
    return DSND_OK;
}

static enum dsnd_err write_line(const struct stream_state *state, struct dsnd_buf *out,
                                const struct store_rows *rows, size_t row)
{
    const struct list_spec *spec = state->spec;
    struct json_out json;

    if (state->format == REQUEST_CSV)
        return rows_out_csv(out, spec->fields, spec->field_count, rows, row);
    json_out_init(&json, out);
    write_row(&json, spec, rows, row);
    return json.err ? json.err : dsnd_buf_add_char(out, '\n');
}

static unsigned page_limit(const struct stream_state *state)
{
    return state->left < LIST_PAGE ? (unsigned)state->left : LIST_PAGE;
}

static enum dsnd_err ask(const struct stream_state *state, struct store_conn *conn)
{
    struct store_rows *none = NULL;
    enum dsnd_err err;

    store_rows_ahead(conn, true);
    err = state->spec->page(conn, state->filter, &state->after, page_limit(state), &none);
    store_rows_ahead(conn, false);
    return err;
}

/* What was asked for; the state then tells where to go on. */
static enum dsnd_err take(struct stream_state *state, struct store_conn *conn,
                          struct store_rows **ret_rows, bool *ret_end)
{
    unsigned limit = page_limit(state);
    enum dsnd_err err = store_rows_take(conn, ret_rows);
    size_t count = err ? 0 : store_rows_count(*ret_rows);

    state->left -= count;
    *ret_end = count < limit || state->left == 0;
    return err || count == 0 ? err : keep_key(state, *ret_rows);
}

static enum dsnd_err write_lines(struct stream_state *state, struct dsnd_buf *out,
                                 const struct store_rows *rows)
{
    enum dsnd_err err = DSND_OK;

    if (state->format == REQUEST_CSV && !state->headed)
        err = rows_out_csv_head(out, state->spec->fields, state->spec->field_count);
    state->headed = true;
    for (size_t i = 0; i < store_rows_count(rows) && !err; i++)
        err = write_line(state, out, rows, i);
    return err;
}

static enum dsnd_err next_page(void *cls, struct store_conn *conn, bool ahead, struct dsnd_buf *out,
                               bool *ret_end)
{
    struct stream_state *state = cls;
    struct store_rows *rows = NULL;
    enum dsnd_err err = store_rows_due(conn) ? DSND_OK : ask(state, conn);

    if (!err)
        err = take(state, conn, &rows, ret_end);
    /* Where that fails, what was taken is still good; the page after is asked for in its turn. */
    if (!err && !*ret_end && ahead && ask(state, conn))
        store_rows_drop(conn);
    if (!err)
        err = write_lines(state, out, rows);
    store_rows_free(rows);
    if (err)
        store_rows_drop(conn);
    return err;
}

static enum dsnd_err begin_stream(struct request *request, struct store_conn *conn,
                                  struct stream_state *state)
{
    bool end = false;
    enum dsnd_err err;

    /* The first page is made now, while an error can still become a problem. */
    err = next_page(state, conn, false, &request->out, &end);
    if (err) {
        dsnd_buf_clear(&request->out);
        return err;
    }
    request->status = 200;
    request->content_type = state->format == REQUEST_CSV ? "text/csv; charset=utf-8; header=present"
                                                         : "application/x-ndjson";
    if (!end)
        request->stream = (struct request_stream){.next = next_page, .state = state};
    return DSND_OK;
}

enum dsnd_err list_answer(struct request *request, struct store_conn *conn,
                          const struct list_spec *spec, const struct list_params *params,
                          const void *filter)
{
    enum request_format format =
        params->format < 0 ? request->format : (enum request_format)params->format;
    unsigned limit = params->limit ? (unsigned)params->limit : LIST_LIMIT_DEFAULT;
    struct cursor after = {.count = 0};
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    if (dsnd_str_present(params->cursor) &&
        cursor_decode(params->cursor, spec->name, spec->key_count, &request->arena, &after)) {
        request_problem(request, 400, "cursor", "cursor is not one that this list gave");
        return DSND_OK;
    }
    if (format != REQUEST_JSON) {
        struct stream_state *state = dsnd_arena_alloc(&request->arena, sizeof(*state));

        if (!state)
            return DSND_ERR_NOMEM;
        *state = (struct stream_state){.spec = spec,
                                       .filter = filter,
                                       .after = after,
                                       .left = params->limit ? (uint64_t)params->limit : UINT64_MAX,
                                       .format = format};
        return begin_stream(request, conn, state);
    }
    err = spec->page(conn, filter, &after, limit + 1, &rows);
    if (!err)
        err = write_page(request, spec, rows, limit);
    store_rows_free(rows);
    return err;
}
