#include "api/rows_out.h"

#include <string.h>

enum { DATE_OCTETS = 10 };

struct dsnd_str rows_out_time(struct dsnd_str iso, char dst[ROWS_OUT_TIME_SIZE])
{
    size_t space = dsnd_str_chr(iso, ' ');
    size_t len = iso.len;

    if (len > DATE_OCTETS && iso.ptr[DATE_OCTETS] == 'T')
        return iso;
    if (!dsnd_str_present(iso) || len >= ROWS_OUT_TIME_SIZE || space == SIZE_MAX)
        return DSND_STR_ABSENT;
    memcpy(dst, iso.ptr, len);
    dst[space] = 'T';
    if (len > 3 && memcmp(dst + len - 3, "+00", 3) == 0) {
        dst[len - 3] = 'Z';
        len -= 2;
    }
    dst[len] = '\0';
    return dsnd_str_make(dst, len);
}

static struct dsnd_str name_of(const struct field *field, struct dsnd_str value)
{
    uint64_t number = 0;

    if (!dsnd_str_present(value) || dsnd_str_to_u64(value, INT16_MAX, &number))
        return DSND_STR_ABSENT;
    return dsnd_str_of(field->name_of((int)number));
}

void rows_out_value(struct json_out *json, const struct field *field, struct dsnd_str value)
{
    char time[ROWS_OUT_TIME_SIZE];

    switch (field->type) {
    case FIELD_STRING:
    case FIELD_IDENTITY:
        json_out_str(json, value);
        break;
    case FIELD_NUMBER:
    case FIELD_JSON:
        json_out_raw(json, value);
        break;
    case FIELD_BOOL:
        if (dsnd_str_present(value))
            json_out_bool(json, dsnd_str_eq(value, DSND_STR("true")));
        else
            json_out_null(json);
        break;
    case FIELD_TIME:
        json_out_str(json, rows_out_time(value, time));
        break;
    case FIELD_NAME:
        json_out_str(json, name_of(field, value));
        break;
    case FIELD_LIST:
        break;
    }
}

static void write_list(struct json_out *json, const struct store_rows *rows, size_t row,
                       size_t column)
{
    size_t count = store_rows_list_count(rows, row, column);

    json_out_array(json);
    for (size_t i = 0; i < count; i++)
        json_out_int(json, store_rows_list_item(rows, row, column, i));
    json_out_array_end(json);
}

static void write_field(struct json_out *json, const struct field *field,
                        const struct store_rows *rows, size_t row, size_t column)
{
    char text[STORE_TEXT_SIZE];

    if (field->type == FIELD_LIST)
        write_list(json, rows, row, column);
    else
        rows_out_value(json, field, store_rows_text(rows, row, column, text));
}

void rows_out_members(struct json_out *json, const struct field *fields, size_t count,
                      const struct store_rows *rows, size_t row)
{
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].name)
            continue;
        json_out_name(json, fields[i].name);
        write_field(json, &fields[i], rows, row, i);
    }
}

void rows_out_json(struct json_out *json, const struct field *fields, size_t count,
                   const struct store_rows *rows, size_t row)
{
    json_out_object(json);
    rows_out_members(json, fields, count, rows, row);
    json_out_object_end(json);
}

static bool needs_quotes(struct dsnd_str value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];

        if (c == ',' || c == '"' || c == '\r' || c == '\n')
            return true;
    }
    return false;
}

bool rows_out_is_formula(struct dsnd_str value)
{
    size_t at = 0;

    while (at < value.len && value.ptr[at] == '\'')
        at++;
    return at < value.len && dsnd_str_chr(DSND_STR("=+-@\t\r"), value.ptr[at]) != SIZE_MAX;
}

enum dsnd_err rows_out_csv_cell(struct dsnd_buf *out, struct dsnd_str value)
{
    bool formula = rows_out_is_formula(value);
    bool quotes = needs_quotes(value);
    enum dsnd_err err = quotes ? dsnd_buf_add_char(out, '"') : DSND_OK;

    if (!err && formula)
        err = dsnd_buf_add_char(out, '\'');
    while (!err && value.len > 0) {
        size_t quote = dsnd_str_chr(value, '"');

        if (quote == SIZE_MAX) {
            err = dsnd_buf_add(out, value);
            break;
        }
        err = dsnd_buf_add(out, dsnd_str_slice(value, 0, quote + 1));
        if (!err)
            err = dsnd_buf_add_char(out, '"');
        value = dsnd_str_slice(value, quote + 1, value.len);
    }
    if (!err && quotes)
        err = dsnd_buf_add_char(out, '"');
    return err;
}

static enum dsnd_err csv_value(struct dsnd_buf *out, const struct field *field,
                               struct dsnd_str value)
{
    char time[ROWS_OUT_TIME_SIZE];

    switch (field->type) {
    case FIELD_STRING:
    case FIELD_JSON:
    case FIELD_IDENTITY:
        return rows_out_csv_cell(out, value);
    case FIELD_NUMBER:
    case FIELD_BOOL:
        return dsnd_buf_add(out, value);
    case FIELD_TIME:
        return dsnd_buf_add(out, rows_out_time(value, time));
    case FIELD_NAME:
        return rows_out_csv_cell(out, name_of(field, value));
    case FIELD_LIST:
        break;
    }
    return DSND_OK;
}

/* As JSON, which has commas where there are two numbers or more. */
static enum dsnd_err csv_list(struct dsnd_buf *out, const struct store_rows *rows, size_t row,
                              size_t column)
{
    bool quotes = store_rows_list_count(rows, row, column) > 1;
    struct json_out json;

    json_out_init(&json, out);
    if (quotes)
        json.err = dsnd_buf_add_char(out, '"');
    write_list(&json, rows, row, column);
    if (quotes && !json.err)
        json.err = dsnd_buf_add_char(out, '"');
    return json.err;
}

static enum dsnd_err csv_field(struct dsnd_buf *out, const struct field *field,
                               const struct store_rows *rows, size_t row, size_t column)
{
    char text[STORE_TEXT_SIZE];

    if (field->type == FIELD_LIST)
        return csv_list(out, rows, row, column);
    return csv_value(out, field, store_rows_text(rows, row, column, text));
}

enum dsnd_err rows_out_csv_head(struct dsnd_buf *out, const struct field *fields, size_t count)
{
    bool comma = false;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < count && !err; i++) {
        if (!fields[i].name)
            continue;
        if (comma)
            err = dsnd_buf_add_char(out, ',');
        comma = true;
        if (!err)
            err = dsnd_buf_add(out, dsnd_str_of(fields[i].name));
    }
    return err ? err : dsnd_buf_add(out, DSND_STR("\r\n"));
}

enum dsnd_err rows_out_csv(struct dsnd_buf *out, const struct field *fields, size_t count,
                           const struct store_rows *rows, size_t row)
{
    bool comma = false;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < count && !err; i++) {
        if (!fields[i].name)
            continue;
        if (comma)
            err = dsnd_buf_add_char(out, ',');
        comma = true;
        if (!err)
            err = csv_field(out, &fields[i], rows, row, i);
    }
    return err ? err : dsnd_buf_add(out, DSND_STR("\r\n"));
}
