/*
 * Rows of the store as JSON objects, NDJSON lines or CSV records, driven by one table of fields a
 * resource. CSV (RFC 4180) defuses what a spreadsheet would run as a formula. One thread.
 */
#ifndef DSND_API_ROWS_OUT_H
#define DSND_API_ROWS_OUT_H

#include <stddef.h>

#include "api/json_out.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/query.h"

enum field_type {
    FIELD_STRING,
    FIELD_NUMBER,  /* decimal text, printed as it is */
    FIELD_BOOL,    /* "true" or "false" */
    FIELD_TIME,    /* RFC 3339, or PostgreSQL's ISO text in UTC, printed as RFC 3339 */
    FIELD_JSON,    /* JSON text, printed as it is; a string in CSV */
    FIELD_LIST,    /* a list of numbers */
    FIELD_NAME,    /* a number that `name` turns into a published name; NULL gives null */
    FIELD_IDENTITY /* a 64-bit number printed as a string: more than a double can hold */
};

/* One column of a result; the position in the table is the position in the result. */
struct field {
    const char *name; /* NULL: not printed */
    enum field_type type;
    const char *(*name_of)(int number); /* of FIELD_NAME */
};

/* One row as a JSON object; errors stick to `json`. */
void rows_out_json(struct json_out *json, const struct field *fields, size_t count,
                   const struct store_rows *rows, size_t row);
/* The members alone, without the braces. */
void rows_out_members(struct json_out *json, const struct field *fields, size_t count,
                      const struct store_rows *rows, size_t row);
/* One value that is no list. */
void rows_out_value(struct json_out *json, const struct field *field, struct dsnd_str value);

/* The record of names, and one row, each ended by CR LF. Errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err rows_out_csv_head(struct dsnd_buf *out, const struct field *fields, size_t count);
DSND_MUST_CHECK
enum dsnd_err rows_out_csv(struct dsnd_buf *out, const struct field *fields, size_t count,
                           const struct store_rows *rows, size_t row);
/*
 * A spreadsheet would compute it: = + - @ TAB CR in front. So it would what was defused once,
 * behind apostrophes: it is defused again, so that csv_in_record gives back each cell as it was.
 */
bool rows_out_is_formula(struct dsnd_str value);
/* One cell, quoted where needed and, where it is a formula, defused by an apostrophe. */
DSND_MUST_CHECK
enum dsnd_err rows_out_csv_cell(struct dsnd_buf *out, struct dsnd_str value);

/* Octets of an RFC 3339 time with microseconds and its NUL, with room for long years. */
enum { ROWS_OUT_TIME_SIZE = 40 };
/* PostgreSQL's "2026-11-23 10:00:00.5+00" as "2026-11-23T10:00:00.5Z", a view into `dst`; what is
 * RFC 3339 already stays. */
struct dsnd_str rows_out_time(struct dsnd_str iso, char dst[ROWS_OUT_TIME_SIZE]);

#endif
