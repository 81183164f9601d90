#include "store/log.h"

#include "store/query_run.h"
#include "store/text.h"

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

/* A name may be any octets. */
static void add_name(struct pg_params *params, struct dsnd_str name)
{
    enum { NAME_MAX_OCTETS = 4 * 4096 };
    struct dsnd_arena arena = DSND_ARENA_INIT((size_t)4 * NAME_MAX_OCTETS);
    enum dsnd_err err = store_text_clean(&arena, name, NAME_MAX_OCTETS, &name);

    pg_add_text(params, name);
    if (err && !params->err)
        params->err = err;
    dsnd_arena_done(&arena);
}

static void add_file(struct pg_params *params, const struct store_log_file *file)
{
    pg_add_i64(params, (int64_t)file->inode);
    pg_add_i32(params, (int32_t)file->front_octets);
    pg_add_bytea(params, file->front_sha256);
    add_name(params, file->name);
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

enum dsnd_err store_log_file_done(struct store_conn *conn, const struct store_log_file *file)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, file->journal);
    pg_add_i64(&params, (int64_t)file->inode);
    add_name(&params, file->name);
    pg_add_i64(&params, (int64_t)file->octets);
    pg_add_i64(&params, file->modified_ns);
    err = query_run(conn, STATEMENT_LOG_FILE_DONE, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_log_file_lengths(struct store_conn *conn, int64_t source_id, size_t most,
                                     struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, source_id);
    pg_add_i32(&params, (int32_t)most);
    err = query_run(conn, STATEMENT_LOG_FILE_LENGTHS, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

static void add_array(struct pg_params *params, enum pg_type type, const struct dsnd_str *values,
                      size_t count)
{
    pg_array_begin(params, type);
    for (size_t i = 0; i < count; i++)
        pg_elem_octets(params, values[i]);
    pg_array_end(params);
}

enum dsnd_err store_log_files_like(struct store_conn *conn, int64_t source_id, uint64_t inode,
                                   const struct dsnd_str *sha256, size_t count,
                                   struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, source_id);
    pg_add_i64(&params, (int64_t)inode);
    add_array(&params, PG_BYTEA, sha256, count);
    err = query_run(conn, STATEMENT_LOG_FILES_LIKE, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_log_files_done(struct store_conn *conn, int64_t source_id,
                                   struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, source_id);
    err = query_run(conn, STATEMENT_LOG_FILES_DONE, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_log_files_present(struct store_conn *conn, int64_t source_id,
                                      const struct dsnd_str *journals, size_t count)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, source_id);
    add_array(&params, PG_TEXT, journals, count);
    err = query_run(conn, STATEMENT_LOG_FILES_PRESENT, &params, NULL);
    pg_params_clear(&params);
    pg_add_i64(&params, source_id);
    if (!err)
        err = query_run(conn, STATEMENT_LOG_FILES_FORGET, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_log_find(struct store_conn *conn, int64_t source_id,
                             const struct dsnd_str *queue_ids, size_t count,
                             struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, source_id);
    add_array(&params, PG_TEXT, queue_ids, count);
    err = query_run(conn, STATEMENT_LOG_FIND, &params, ret_rows);
    pg_params_done(&params);
    return err;
}
