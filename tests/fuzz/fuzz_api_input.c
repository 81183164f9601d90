/*
 * What clients send: a query string, a JSON body, a cursor, a time, a path. Properties: whatever is
 * read obeys its limits, and whatever is refused is named.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/csv_in.h"
#include "api/cursor.h"
#include "api/encode.h"
#include "api/json_in.h"
#include "api/params.h"
#include "api/route.h"
#include "api/rows_out.h"
#include "api/timestamp.h"
#include "base/utf8.h"

struct target {
    int64_t count;
    int64_t us;
    struct dsnd_str text;
    struct dsnd_str address;
    struct dsnd_str key;
    struct dsnd_str time;
    json_t *array;
    int choice;
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void must_be_named(const struct params_error *error)
{
    must(memchr(error->name, '\0', sizeof(error->name)) != NULL);
    must(memchr(error->detail, '\0', sizeof(error->detail)) != NULL && error->detail[0]);
    must(utf8_valid(dsnd_str_of(error->name)));
}

static void query(struct dsnd_str text, struct dsnd_arena *arena)
{
    static const char *const choices[] = {"one", "two", NULL};
    static const struct param_spec specs[] = {
        {"n", PARAM_COUNT, offsetof(struct target, count), 1, 10, NULL},
        {"s", PARAM_STRING, offsetof(struct target, text), 0, 5, NULL},
        {"a", PARAM_ADDRESS, offsetof(struct target, address), 0, 0, NULL},
        {"k", PARAM_KEY, offsetof(struct target, key), 0, 0, NULL},
        {"t", PARAM_TIME, offsetof(struct target, time), 0, 0, NULL},
        {"c", PARAM_CHOICE, offsetof(struct target, choice), 0, 0, choices},
    };
    struct target target = {.count = 1, .choice = -1};
    struct params_error error = {"", ""};
    struct params params;
    enum dsnd_err err = params_parse(text, arena, &params, &error);

    if (!err)
        err = params_read(&params, specs, sizeof(specs) / sizeof(*specs), arena, &target, &error);
    if (err && err != DSND_ERR_NOMEM)
        must_be_named(&error);
    if (err)
        return;
    must(target.count >= 1 && target.count <= 10 && target.choice >= -1 && target.choice <= 1);
    must(target.text.len <= 5 && utf8_valid(target.text) && utf8_valid(target.address));
    must(!dsnd_str_present(target.key) || params_is_key(target.key));
}

static void body(struct dsnd_str text)
{
    static const struct member_spec specs[] = {
        {"s", MEMBER_STRING, offsetof(struct target, text), SIZE_MAX, 5},
        {"a", MEMBER_ADDRESS, offsetof(struct target, address), SIZE_MAX, 0},
        {"k", MEMBER_REF, offsetof(struct target, key), SIZE_MAX, 0},
        {"n", MEMBER_COUNT, offsetof(struct target, count), SIZE_MAX, 10},
        {"t", MEMBER_TIME, offsetof(struct target, us), SIZE_MAX, 0},
        {"l", MEMBER_ARRAY, offsetof(struct target, array), SIZE_MAX, 3},
    };
    struct target target = {.count = 1};
    struct params_error error = {"", ""};
    json_t *json = NULL;
    enum dsnd_err err = json_in_parse(text, false, &json, &error);

    if (!err)
        err = json_in_members(json, specs, sizeof(specs) / sizeof(*specs), &target, &error);
    if (err)
        must_be_named(&error);
    else
        must(target.count >= 0 && target.count <= 10 && target.text.len <= 5 && target.us >= 0 &&
             json_array_size(target.array) <= 3);
    json_decref(json);
}

static void cursor(struct dsnd_str text, struct dsnd_arena *arena)
{
    struct dsnd_buf again = DSND_BUF_INIT(4 * CURSOR_TEXT_MAX);
    struct cursor got;

    if (cursor_decode(text, "list", 2, arena, &got) == DSND_OK) {
        must(got.count == 2 && utf8_valid(got.key[0]) && utf8_valid(got.key[1]));
        must(cursor_encode(&got, "list", &again) == DSND_OK);
        must(dsnd_str_eq(dsnd_buf_str(&again), text));
    }
    dsnd_buf_done(&again);
}

static void path(struct dsnd_str text)
{
    struct request request = {.method = REQUEST_GET, .path = text, .arena = DSND_ARENA_INIT(65536)};
    char allow[ROUTE_ALLOW_SIZE];

    if (route_find(&request, allow) == 0)
        must(request.route && utf8_valid(request.segment[0]));
    dsnd_arena_done(&request.arena);
}

/* What is printed as a cell is read as it was. */
static void cell(struct dsnd_str text, struct dsnd_arena *arena)
{
    struct csv_record record;
    struct dsnd_str rest;
    struct dsnd_buf out = DSND_BUF_INIT(1 << 20);

    must(rows_out_csv_cell(&out, text) == DSND_OK);
    must(text.len == 0 || !memchr("=+-@", dsnd_buf_str(&out).ptr[0], 4));
    rest = dsnd_buf_str(&out);
    if (text.len > 0) {
        must(csv_in_record(&rest, arena, &record) == DSND_OK);
        must(record.count == 1 && rest.len == 0 && dsnd_str_eq(record.cell[0], text));
    }
    for (rest = text; rest.len > 0;) {
        size_t before = rest.len;

        if (csv_in_record(&rest, arena, &record))
            break;
        must(rest.len < before && record.count >= 1);
    }
    dsnd_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(1 << 20);
    struct dsnd_str text;
    int64_t us;

    if (size == 0 || size > 65536)
        return 0;
    text = dsnd_str_make((const char *)data + 1, size - 1);
    switch (data[0] % 6) {
    case 0:
        query(text, &arena);
        break;
    case 1:
        body(text);
        break;
    case 2:
        cursor(text, &arena);
        break;
    case 3:
        path(text);
        break;
    case 4:
        cell(text, &arena);
        break;
    default:
        if (timestamp_parse(text, &us) == DSND_OK)
            must(us >= 0 && us < INT64_C(7300000000) * 1000000);
        break;
    }
    dsnd_arena_done(&arena);
    return 0;
}
