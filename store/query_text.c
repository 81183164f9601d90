#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "store/query_run.h"

/* The binary form of an array of one dimension: five words of head, then length and octets each. */
enum { ARRAY_HEAD_OCTETS = 20, ARRAY_COUNT_AT = 12, ITEM_OCTETS = 12, ITEM_VALUE_AT = 4 };

static uint64_t read_be(const char *octets, size_t count)
{
    uint64_t v = 0;

    for (size_t i = 0; i < count; i++)
        v = v << 8 | (unsigned char)octets[i];
    return v;
}

static struct dsnd_str number_text(int64_t value, char dst[STORE_TEXT_SIZE])
{
    char *at = dst + STORE_TEXT_SIZE;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    return dsnd_str_make(at, (size_t)(dst + STORE_TEXT_SIZE - at));
}

/* As PostgreSQL prints it: no zeros at the end of a fraction. */
static struct dsnd_str time_text(const PGresult *result, int row, int column,
                                 char dst[STORE_TEXT_SIZE])
{
    int64_t since_2000 = pg_i64(result, row, column);
    size_t len = DSND_RFC3339_SIZE - 2;

    if (since_2000 == INT64_MAX || since_2000 == INT64_MIN)
        return DSND_STR_ABSENT;
    dsnd_clock_format(pg_time(result, row, column), dst);
    while (dst[len - 1] == '0')
        len--;
    if (dst[len - 1] == '.')
        len--;
    dst[len] = 'Z';
    return dsnd_str_make(dst, len + 1);
}

static struct dsnd_str hex_text(struct dsnd_str octets, char dst[STORE_TEXT_SIZE])
{
    assert(octets.len <= STORE_TEXT_SIZE / 2); /* and the NUL */
    hex_encode((const unsigned char *)octets.ptr, octets.len, dst);
    return dsnd_str_make(dst, 2 * octets.len);
}

struct dsnd_str store_rows_text(const struct store_rows *self, size_t row, size_t column,
                                char dst[STORE_TEXT_SIZE])
{
    const PGresult *result = query_result(self);
    struct dsnd_str value = store_rows_value(self, row, column);
    int r = (int)row;
    int c = (int)column;

    if (!dsnd_str_present(value))
        return value;
    switch ((enum pg_type)PQftype(result, c)) {
    case PG_INT2:
        return number_text(pg_i16(result, r, c), dst);
    case PG_INT4:
        return number_text(pg_i32(result, r, c), dst);
    case PG_INT8:
        return number_text(pg_i64(result, r, c), dst);
    case PG_BOOL:
        return pg_bool(result, r, c) ? DSND_STR("true") : DSND_STR("false");
    case PG_TIMESTAMPTZ:
        return time_text(result, r, c, dst);
    case PG_BYTEA:
        return hex_text(value, dst);
    case PG_TEXT:
    case PG_DATE:
    case PG_UUID:
        break;
    }
    return value;
}

int64_t store_rows_int(const struct store_rows *self, size_t row, size_t column)
{
    char buf[STORE_TEXT_SIZE];
    struct dsnd_str text = store_rows_text(self, row, column, buf);
    bool negative = text.len > 0 && text.ptr[0] == '-';
    uint64_t value = 0;

    if (dsnd_str_to_u64(dsnd_str_slice(text, negative ? 1 : 0, text.len), INT64_MAX, &value))
        return 0;
    return negative ? -(int64_t)value : (int64_t)value;
}

size_t store_rows_list_count(const struct store_rows *self, size_t row, size_t column)
{
    struct dsnd_str value = store_rows_value(self, row, column);

    /* An empty array has no dimension, and so no count. */
    return value.len < ARRAY_HEAD_OCTETS ? 0 : (size_t)read_be(value.ptr + ARRAY_COUNT_AT, 4);
}

int64_t store_rows_list_item(const struct store_rows *self, size_t row, size_t column, size_t i)
{
    struct dsnd_str value = store_rows_value(self, row, column);
    size_t at = ARRAY_HEAD_OCTETS + i * ITEM_OCTETS + ITEM_VALUE_AT;

    assert(at + sizeof(int64_t) <= value.len);
    return (int64_t)read_be(value.ptr + at, sizeof(int64_t));
}
