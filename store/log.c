#include "store/log.h"

#include "store/query_run.h"

enum dsnd_err store_log_source(struct store_conn *conn, struct dsnd_str name, int64_t *ret_id)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = query_run_text(conn, STATEMENT_LOG_SOURCE, name, &rows);

    /* No row: somebody else made it this moment. */
    if (!err && !store_rows_count(rows)) {
        store_rows_free(rows);
        rows = NULL;
        err = query_run_text(conn, STATEMENT_LOG_SOURCE, name, &rows);
    }
    err = query_one(err, &rows);
    if (!err)
        *ret_id = store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    return err;
}

enum dsnd_err store_log_lock(struct store_conn *conn, int64_t source_id, bool *ret_mine)
{
    struct pg_params params;
    struct store_rows *rows = NULL;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i32(&params, (int32_t)source_id);
    err = query_run(conn, STATEMENT_LOG_LOCK, &params, &rows);
    if (!err)
        *ret_mine = store_rows_int(rows, 0, 0) != 0;
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_log_files(struct store_conn *conn, int64_t source_id, struct dsnd_str sha256,
                              struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, source_id);
    pg_add_bytea(&params, sha256);
    err = query_run(conn, STATEMENT_LOG_FILES, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

static void add_file(struct pg_params *params, const struct store_log_file *file)
{
    pg_add_i64(params, (int64_t)file->inode);
    pg_add_i32(params, (int32_t)file->front_octets);
    pg_add_bytea(params, file->front_sha256);
    pg_add_text(params, file->name);
}

enum dsnd_err store_log_file_add(struct store_conn *conn, int64_t source_id,
                                 const struct store_log_file *file)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, source_id);
    pg_add_text(&params, file->journal);
    add_file(&params, file);
    err = query_run(conn, STATEMENT_LOG_FILE_ADD, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_log_file_set(struct store_conn *conn, const struct store_log_file *file)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, file->journal);
    add_file(&params, file);
    err = query_run(conn, STATEMENT_LOG_FILE_SET, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_log_file_done(struct store_conn *conn, struct dsnd_str journal)
{
    return query_run_text(conn, STATEMENT_LOG_FILE_DONE, journal, NULL);
}

enum dsnd_err store_log_find(struct store_conn *conn, int64_t source_id,
                             const struct dsnd_str *queue_ids, size_t count,
                             struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, source_id);
    pg_array_begin(&params, PG_TEXT);
    for (size_t i = 0; i < count; i++)
        pg_elem_octets(&params, queue_ids[i]);
    pg_array_end(&params);
    err = query_run(conn, STATEMENT_LOG_FIND, &params, ret_rows);
    pg_params_done(&params);
    return err;
}
