#include "store/query_suppression.h"

#include "parse/return_path.h"
#include "store/digest.h"
#include "store/query_run.h"

static struct dsnd_str hash_str(const struct store_hash *hash)
{
    return dsnd_str_make((const char *)hash->octets, STORE_HASH_OCTETS);
}

static void add_hash(struct pg_params *params, struct dsnd_str address)
{
    struct store_hash hash;
    enum dsnd_err err = store_address_hash(address, &hash);

    if (err)
        params->err = err;
    else
        pg_add_bytea(params, hash_str(&hash));
}

static void elem_hash(struct pg_params *params, struct dsnd_str address)
{
    struct store_hash hash;
    enum dsnd_err err = store_address_hash(address, &hash);

    if (err)
        params->err = err;
    else
        pg_elem_octets(params, hash_str(&hash));
}

enum dsnd_err store_suppression_get(struct store_conn *conn, struct dsnd_str address,
                                    struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    add_hash(&params, address);
    err = query_one(query_run(conn, STATEMENT_SUPPRESSION_GET, &params, ret_rows), ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_suppression_list(struct store_conn *conn,
                                     const struct store_suppression_filter *filter,
                                     struct dsnd_str before_since, struct dsnd_str before_hash,
                                     unsigned limit, struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, before_since);
    pg_add_text(&params, before_hash);
    if (filter->klass < 0)
        pg_add_null(&params);
    else
        pg_add_i16(&params, (int16_t)filter->klass);
    if (filter->pending < 0)
        pg_add_null(&params);
    else
        pg_add_bool(&params, filter->pending == 1);
    pg_add_text(&params, filter->from);
    pg_add_text(&params, filter->to);
    pg_add_text(&params, filter->campaign);
    pg_add_i64(&params, limit);
    pg_add_bool(&params, filter->hashed);
    err = query_run(conn, STATEMENT_SUPPRESSION_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_suppression_check(struct store_conn *conn, const struct dsnd_str *addresses,
                                      size_t count, struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_array_begin(&params, PG_BYTEA);
    for (size_t i = 0; i < count; i++)
        elem_hash(&params, addresses[i]);
    pg_array_end(&params);
    err = query_run(conn, STATEMENT_SUPPRESSION_CHECK, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

static void elem_entry_hash(struct pg_params *params, const struct store_suppression *entry)
{
    if (entry->hash)
        pg_elem_octets(params, hash_str(entry->hash));
    else
        elem_hash(params, entry->address);
}

static void add_entries(struct pg_params *params, const struct store_suppression *entries,
                        size_t count)
{
    pg_array_begin(params, PG_BYTEA);
    for (size_t i = 0; i < count; i++)
        elem_entry_hash(params, &entries[i]);
    pg_array_end(params);
    pg_array_begin(params, PG_TEXT);
    for (size_t i = 0; i < count; i++)
        pg_elem_octets(params, entries[i].address);
    pg_array_end(params);
    pg_array_begin(params, PG_INT2);
    for (size_t i = 0; i < count; i++)
        pg_elem_i16(params, (int16_t)entries[i].klass);
    pg_array_end(params);
    pg_array_begin(params, PG_TEXT);
    for (size_t i = 0; i < count; i++)
        pg_elem_octets(params, entries[i].expires_at);
    pg_array_end(params);
    pg_array_begin(params, PG_TEXT);
    for (size_t i = 0; i < count; i++)
        pg_elem_octets(params, entries[i].note);
    pg_array_end(params);
}

enum dsnd_err store_suppression_put(struct store_conn *conn,
                                    const struct store_suppression *entries, size_t count,
                                    int source, int64_t *ret_changed)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    add_entries(&params, entries, count);
    pg_add_i16(&params, (int16_t)source);
    err = query_run(conn, STATEMENT_SUPPRESSION_PUT, &params, &rows);
    if (!err)
        *ret_changed = store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_suppression_set(struct store_conn *conn, const struct store_suppression *entry,
                                    int source, struct store_rows **ret_rows)
{
    struct store_rows *rows = NULL;
    int64_t changed = 0;
    enum dsnd_err err = pg_run(conn, STATEMENT_BEGIN, NULL, NULL);

    if (!err)
        err = store_suppression_put(conn, entry, 1, source, &changed);
    if (!err)
        err = store_suppression_get(conn, entry->address, &rows);
    if (!err)
        err = pg_run(conn, STATEMENT_COMMIT, NULL, NULL);
    if (err) {
        pg_rollback(conn);
        store_rows_free(rows);
    } else {
        *ret_rows = rows;
    }
    return err;
}

enum dsnd_err store_suppression_lift(struct store_conn *conn, struct dsnd_str address, int source,
                                     struct dsnd_str note)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    add_hash(&params, address);
    pg_add_i16(&params, (int16_t)source);
    pg_add_text(&params, note);
    err = query_run(conn, STATEMENT_SUPPRESSION_LIFT, &params, &rows);
    if (!err && store_rows_int(rows, 0, 0) == 0)
        err = DSND_ERR_NOT_FOUND;
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_suppression_changes(struct store_conn *conn, int64_t after, unsigned limit,
                                        struct store_rows **ret_rows)
{
    char text[24];
    struct pg_params params;
    enum dsnd_err err;

    if (snprintf(text, sizeof(text), "%lld", (long long)after) < 0)
        return DSND_ERR_NOMEM;
    pg_params_init(&params);
    pg_add_text(&params, dsnd_str_of(text));
    pg_add_i64(&params, limit);
    err = query_run(conn, STATEMENT_SUPPRESSION_CHANGES, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_suppression_clock(struct store_conn *conn, int64_t *ret_seq)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = query_run(conn, STATEMENT_SUPPRESSION_CLOCK, NULL, &rows);

    if (!err)
        *ret_seq = store_rows_count(rows) > 0 ? store_rows_int(rows, 0, 0) : 0;
    store_rows_free(rows);
    return err;
}

static void add_undo_filter(struct pg_params *params, const struct store_undo_filter *filter)
{
    if (filter->klass < 0)
        pg_add_null(params);
    else
        pg_add_i16(params, (int16_t)filter->klass);
    pg_add_text(params, filter->from);
    pg_add_text(params, filter->to);
    pg_add_text(params, filter->campaign);
    pg_add_text(params, filter->rule);
    pg_add_text(params, filter->provider);
    if (filter->incident)
        pg_add_i64(params, filter->incident);
    else
        pg_add_null(params);
}

static enum dsnd_err run_count(struct store_conn *conn, enum statement statement,
                               const struct pg_params *params, int64_t *ret_count)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = query_run(conn, statement, params, &rows);

    if (!err)
        *ret_count = store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    return err;
}

enum dsnd_err store_suppression_undo_count(struct store_conn *conn,
                                           const struct store_undo_filter *filter,
                                           int64_t *ret_count)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    add_undo_filter(&params, filter);
    err = run_count(conn, STATEMENT_SUPPRESSION_UNDO_COUNT, &params, ret_count);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_suppression_undo(struct store_conn *conn,
                                     const struct store_undo_filter *filter, struct dsnd_str note,
                                     int64_t *ret_count)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    add_undo_filter(&params, filter);
    pg_add_text(&params, note);
    err = run_count(conn, STATEMENT_SUPPRESSION_UNDO, &params, ret_count);
    pg_params_done(&params);
    return err;
}
