#include <zstd.h>

#include "store/query_run.h"

enum dsnd_err query_raw(struct store_conn *conn, enum statement statement, struct dsnd_str id,
                        struct dsnd_buf *out)
{
    struct store_rows *rows = NULL;
    const PGresult *result;
    struct dsnd_str raw;
    size_t octets;
    enum dsnd_err err = query_run_text(conn, statement, id, &rows);

    err = query_one(err, &rows);
    if (err)
        return err;
    result = (const PGresult *)(const void *)rows;
    raw = pg_str(result, 0, 1);
    octets = (size_t)pg_i32(result, 0, 0);
    err = dsnd_buf_reserve(out, octets);
    if (!err && octets > 0) {
        size_t got = ZSTD_decompress(out->ptr + out->len, octets, raw.ptr, raw.len);

        if (ZSTD_isError(got) || got != octets)
            err = DSND_ERR_CORRUPT;
        else
            out->len += got;
    }
    store_rows_free(rows);
    return err;
}
