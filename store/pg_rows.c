#include <string.h>

#include "store/pg.h"

static enum pg_type type_of(enum pg_kind kind)
{
    static const enum pg_type types[] = {
        [PG_KIND_I64] = PG_INT8,  [PG_KIND_I64_OR_NULL] = PG_INT8,
        [PG_KIND_I32] = PG_INT4,  [PG_KIND_I32_OR_NULL] = PG_INT4,
        [PG_KIND_I16] = PG_INT2,  [PG_KIND_I16_OR_NULL] = PG_INT2,
        [PG_KIND_BOOL] = PG_BOOL, [PG_KIND_TIME] = PG_TIMESTAMPTZ,
        [PG_KIND_DAY] = PG_DATE,  [PG_KIND_TIME_OR_NULL] = PG_TIMESTAMPTZ,
        [PG_KIND_TEXT] = PG_TEXT, [PG_KIND_BYTEA] = PG_BYTEA,
        [PG_KIND_UUID] = PG_UUID,
    };

    return types[kind];
}

static void put_i64(struct pg_params *self, enum pg_kind kind, const void *member)
{
    int64_t v;

    memcpy(&v, member, sizeof(v));
    if (v == 0 && (kind == PG_KIND_I64_OR_NULL || kind == PG_KIND_TIME_OR_NULL))
        pg_elem_null(self);
    else if (kind == PG_KIND_TIME || kind == PG_KIND_TIME_OR_NULL)
        pg_elem_time(self, v);
    else
        pg_elem_i64(self, v);
}

static void put_i32(struct pg_params *self, enum pg_kind kind, const void *member)
{
    int32_t v;

    memcpy(&v, member, sizeof(v));
    if (v == 0 && kind == PG_KIND_I32_OR_NULL)
        pg_elem_null(self);
    else if (kind == PG_KIND_DAY)
        pg_elem_day(self, v);
    else
        pg_elem_i32(self, v);
}

static void put_i16(struct pg_params *self, enum pg_kind kind, const void *member)
{
    int16_t v;

    memcpy(&v, member, sizeof(v));
    if (v == 0 && kind == PG_KIND_I16_OR_NULL)
        pg_elem_null(self);
    else
        pg_elem_i16(self, v);
}

static void put_member(struct pg_params *self, enum pg_kind kind, const char *member)
{
    struct dsnd_str text;
    bool flag;

    switch (kind) {
    case PG_KIND_I64:
    case PG_KIND_I64_OR_NULL:
    case PG_KIND_TIME:
    case PG_KIND_TIME_OR_NULL:
        put_i64(self, kind, member);
        break;
    case PG_KIND_I32:
    case PG_KIND_I32_OR_NULL:
    case PG_KIND_DAY:
        put_i32(self, kind, member);
        break;
    case PG_KIND_I16:
    case PG_KIND_I16_OR_NULL:
        put_i16(self, kind, member);
        break;
    case PG_KIND_BOOL:
        memcpy(&flag, member, sizeof(flag));
        pg_elem_bool(self, flag);
        break;
    case PG_KIND_TEXT:
    case PG_KIND_BYTEA:
    case PG_KIND_UUID:
        memcpy(&text, member, sizeof(text));
        pg_elem_octets(self, text);
        break;
    }
}

void pg_add_rows(struct pg_params *self, const struct pg_column *columns, size_t column_count,
                 const void *rows, size_t size, size_t count)
{
    for (size_t c = 0; c < column_count; c++) {
        const char *member = (const char *)rows + columns[c].offset;

        pg_array_begin(self, type_of(columns[c].kind));
        for (size_t i = 0; i < count; i++, member += size)
            put_member(self, columns[c].kind, member);
        pg_array_end(self);
    }
}
