#include "store/pg.h"

#include <assert.h>
#include <string.h>

/* PostgreSQL counts from 2000-01-01. */
#define EPOCH_US INT64_C(946684800000000)
enum { EPOCH_DAYS = 10957 };

static void put(struct pg_params *self, const void *octets, size_t len)
{
    if (!self->err)
        self->err = dsnd_buf_add(&self->buf, dsnd_str_make(octets, len));
}

static void put_u32(struct pg_params *self, uint32_t v)
{
    unsigned char o[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
                          (unsigned char)(v >> 8), (unsigned char)v};

    put(self, o, sizeof(o));
}

static void put_u64(struct pg_params *self, uint64_t v)
{
    put_u32(self, (uint32_t)(v >> 32));
    put_u32(self, (uint32_t)v);
}

static void put_u16(struct pg_params *self, uint16_t v)
{
    unsigned char o[2] = {(unsigned char)(v >> 8), (unsigned char)v};

    put(self, o, sizeof(o));
}

static void patch_u32(struct pg_params *self, size_t at, uint32_t v)
{
    if (self->err)
        return;
    for (int i = 0; i < 4; i++)
        self->buf.ptr[at + (size_t)i] = (char)(v >> (24 - 8 * i));
}

void pg_params_init(struct pg_params *self)
{
    *self = (struct pg_params){.buf = DSND_BUF_INIT(PG_PARAMS_OCTETS)};
}

void pg_params_clear(struct pg_params *self)
{
    dsnd_buf_clear(&self->buf);
    self->count = 0;
    self->err = DSND_OK;
}

void pg_params_done(struct pg_params *self)
{
    dsnd_buf_done(&self->buf);
}

/* A parameter begins here; its length is set by scalar_end or pg_array_end. */
static void begin(struct pg_params *self, Oid type)
{
    assert(self->count < PG_PARAMS_MAX);
    self->offset[self->count] = self->buf.len;
    self->type[self->count] = type;
    self->length[self->count++] = -1;
}

static void end(struct pg_params *self)
{
    size_t len = self->buf.len - self->offset[self->count - 1];

    if (len > INT32_MAX)
        self->err = DSND_ERR_LIMIT;
    else
        self->length[self->count - 1] = (int)len;
}

void pg_add_null(struct pg_params *self)
{
    begin(self, InvalidOid);
}

void pg_add_bool(struct pg_params *self, bool value)
{
    begin(self, PG_BOOL);
    put(self, value ? "\1" : "\0", 1);
    end(self);
}

void pg_add_i16(struct pg_params *self, int16_t value)
{
    begin(self, PG_INT2);
    put_u16(self, (uint16_t)value);
    end(self);
}

void pg_add_i32(struct pg_params *self, int32_t value)
{
    begin(self, PG_INT4);
    put_u32(self, (uint32_t)value);
    end(self);
}

void pg_add_i64(struct pg_params *self, int64_t value)
{
    begin(self, PG_INT8);
    put_u64(self, (uint64_t)value);
    end(self);
}

void pg_add_time(struct pg_params *self, int64_t us)
{
    begin(self, PG_TIMESTAMPTZ);
    put_u64(self, (uint64_t)(us - EPOCH_US));
    end(self);
}

void pg_add_day(struct pg_params *self, int32_t day)
{
    begin(self, PG_DATE);
    put_u32(self, (uint32_t)(day - EPOCH_DAYS));
    end(self);
}

static void add_octets(struct pg_params *self, enum pg_type type, struct dsnd_str value)
{
    bool present = dsnd_str_present(value);

    begin(self, present ? (Oid)type : InvalidOid);
    if (!present)
        return;
    put(self, value.ptr, value.len);
    end(self);
}

void pg_add_text(struct pg_params *self, struct dsnd_str value)
{
    add_octets(self, PG_TEXT, value);
}

void pg_add_bytea(struct pg_params *self, struct dsnd_str value)
{
    add_octets(self, PG_BYTEA, value);
}

Oid pg_array_of(enum pg_type element)
{
    static const struct {
        enum pg_type element;
        Oid array;
    } rows[] = {
        {PG_BOOL, 1000}, {PG_BYTEA, 1001}, {PG_INT8, 1016},        {PG_INT2, 1005}, {PG_INT4, 1007},
        {PG_TEXT, 1009}, {PG_DATE, 1182},  {PG_TIMESTAMPTZ, 1185}, {PG_UUID, 2951},
    };
    Oid array = InvalidOid;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) && !array; i++)
        if (rows[i].element == element)
            array = rows[i].array;
    return array;
}

/* Dimensions, NULL flag, element type; then length and lower bound of the one dimension. */
void pg_array_begin(struct pg_params *self, enum pg_type type)
{
    begin(self, pg_array_of(type));
    self->array = self->buf.len;
    self->filled = 0;
    self->has_null = false;
    put_u32(self, 1);
    put_u32(self, 0);
    put_u32(self, (uint32_t)type);
    put_u32(self, 0);
    put_u32(self, 1);
}

void pg_array_end(struct pg_params *self)
{
    if (!self->err && self->filled == 0) {
        patch_u32(self, self->array, 0); /* an empty array has no dimension */
        self->buf.len = self->array + 12;
    } else {
        patch_u32(self, self->array + 4, self->has_null);
        patch_u32(self, self->array + 12, (uint32_t)self->filled);
    }
    end(self);
}

void pg_elem_null(struct pg_params *self)
{
    self->has_null = true;
    self->filled++;
    put_u32(self, UINT32_MAX);
}

void pg_elem_bool(struct pg_params *self, bool value)
{
    self->filled++;
    put_u32(self, 1);
    put(self, value ? "\1" : "\0", 1);
}

void pg_elem_i16(struct pg_params *self, int16_t value)
{
    self->filled++;
    put_u32(self, 2);
    put_u16(self, (uint16_t)value);
}

void pg_elem_i32(struct pg_params *self, int32_t value)
{
    self->filled++;
    put_u32(self, 4);
    put_u32(self, (uint32_t)value);
}

void pg_elem_i64(struct pg_params *self, int64_t value)
{
    self->filled++;
    put_u32(self, 8);
    put_u64(self, (uint64_t)value);
}

void pg_elem_time(struct pg_params *self, int64_t us)
{
    pg_elem_i64(self, us - EPOCH_US);
}

void pg_elem_day(struct pg_params *self, int32_t day)
{
    pg_elem_i32(self, day - EPOCH_DAYS);
}

void pg_elem_octets(struct pg_params *self, struct dsnd_str value)
{
    if (!dsnd_str_present(value)) {
        pg_elem_null(self);
        return;
    }
    if (value.len > INT32_MAX && !self->err)
        self->err = DSND_ERR_LIMIT;
    self->filled++;
    put_u32(self, (uint32_t)value.len);
    put(self, value.ptr, value.len);
}

/* ---- results ---- */

static uint64_t read_be(const PGresult *result, int row, int column, int octets)
{
    const unsigned char *p = (const unsigned char *)PQgetvalue(result, row, column);
    uint64_t v = 0;

    if (PQgetisnull(result, row, column))
        return 0;
    assert(PQgetlength(result, row, column) == octets);
    for (int i = 0; i < octets; i++)
        v = v << 8 | p[i];
    return v;
}

bool pg_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column);
}

bool pg_bool(const PGresult *result, int row, int column)
{
    return read_be(result, row, column, 1) != 0;
}

int16_t pg_i16(const PGresult *result, int row, int column)
{
    return (int16_t)read_be(result, row, column, 2);
}

int32_t pg_i32(const PGresult *result, int row, int column)
{
    return (int32_t)read_be(result, row, column, 4);
}

int64_t pg_i64(const PGresult *result, int row, int column)
{
    return (int64_t)read_be(result, row, column, 8);
}

int64_t pg_time(const PGresult *result, int row, int column)
{
    return pg_null(result, row, column) ? 0 : pg_i64(result, row, column) + EPOCH_US;
}

struct dsnd_str pg_str(const PGresult *result, int row, int column)
{
    size_t len = (size_t)PQgetlength(result, row, column);

    if (len == 0 && pg_null(result, row, column))
        return DSND_STR_ABSENT;
    return dsnd_str_make(PQgetvalue(result, row, column), len);
}
