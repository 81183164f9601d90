/*
 * Lists as every resource prints them: a page of JSON with a cursor and a Link header, or the whole
 * list streamed as NDJSON or CSV in pages, so that its size costs no memory. One thread.
 */
#ifndef DSND_API_LIST_H
#define DSND_API_LIST_H

#include "api/cursor.h"
#include "api/request.h"
#include "api/rows_out.h"

enum {
    LIST_LIMIT_DEFAULT = 100,
    LIST_LIMIT_MAX = 1000,
    LIST_PAGE = 5000, /* rows a query while streaming; PostgreSQL works on the next meanwhile */
};

struct list_spec {
    const char *name; /* names the list inside its cursors */
    const struct field *fields;
    size_t field_count;
    size_t keys[CURSOR_KEYS_MAX]; /* columns whose values make the cursor */
    size_t key_count;
    /* The rows behind `after` (no keys: from the beginning), at most `limit`. */
    enum dsnd_err (*page)(struct store_conn *conn, const void *filter, const struct cursor *after,
                          unsigned limit, struct store_rows **ret_rows);
    /* A row's members where the fields alone do not say it; NULL: the fields. */
    void (*members)(struct json_out *json, const struct store_rows *rows, size_t row);
};

/*
 * What every list's parameters begin with. `limit` 0 means not given: LIST_LIMIT_DEFAULT rows of
 * JSON, all rows of a stream.
 */
struct list_params {
    int64_t limit;
    struct dsnd_str cursor;
    int format; /* index into list_formats; -1: by Accept */
};
extern const char *const list_formats[];
/* Rows for a table of parameters, for a struct whose member `list` is a struct list_params. */
#define LIST_PARAMS(type)                                                                \
    {"limit", PARAM_COUNT, offsetof(type, list.limit), 1, LIST_LIMIT_MAX, NULL},         \
        {"cursor", PARAM_STRING, offsetof(type, list.cursor), 0, CURSOR_TEXT_MAX, NULL}, \
    {                                                                                    \
        "format", PARAM_CHOICE, offsetof(type, list.format), 0, 0, list_formats          \
    }
#define LIST_PARAMS_INIT         \
    {                            \
        .format = -1, .limit = 0 \
    }

/* Answer with the list. `filter` must live as long as the request (in its arena). */
DSND_MUST_CHECK
enum dsnd_err list_answer(struct request *request, struct store_conn *conn,
                          const struct list_spec *spec, const struct list_params *params,
                          const void *filter);

#endif
