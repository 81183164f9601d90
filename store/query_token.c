#include "store/query_token.h"

#include <string.h>

#include "base/hex.h"
#include "parse/digest.h"
#include "store/query_run.h"

/* `text` is the hexadecimal form of `octets`; the time does not depend on where they differ. */
static bool hex_equal(struct dsnd_str text, const unsigned char *octets)
{
    char hex[2 * DIGEST_OCTETS + 1];

    hex_encode(octets, DIGEST_OCTETS, hex);
    return text.len == sizeof(hex) - 1 && digest_equal(text.ptr, hex, sizeof(hex) - 1);
}

enum dsnd_err store_token_find(struct store_conn *conn, const unsigned char hash[32],
                               struct store_token *ret_token)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_bytea(&params, dsnd_str_make((const char *)hash, DIGEST_OCTETS));
    err = query_one(query_run(conn, STATEMENT_TOKEN_FIND, &params, &rows), &rows);
    if (!err && !hex_equal(store_rows_value(rows, 0, 2), hash))
        err = DSND_ERR_NOT_FOUND;
    if (!err) {
        ret_token->id = store_rows_int(rows, 0, 0);
        ret_token->scopes = (unsigned)store_rows_int(rows, 0, 1);
    }
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_token_add(struct store_conn *conn, const unsigned char hash[32],
                              struct dsnd_str name, unsigned scopes, struct dsnd_str expires,
                              int64_t *ret_id)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_bytea(&params, dsnd_str_make((const char *)hash, DIGEST_OCTETS));
    pg_add_text(&params, name);
    pg_add_i16(&params, (int16_t)scopes);
    pg_add_text(&params, expires);
    err = query_run(conn, STATEMENT_TOKEN_ADD, &params, &rows);
    if (!err)
        *ret_id = store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_token_revoke(struct store_conn *conn, int64_t id)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    err = query_one(query_run(conn, STATEMENT_TOKEN_REVOKE, &params, &rows), &rows);
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_token_list(struct store_conn *conn, struct store_rows **ret_rows)
{
    return query_run(conn, STATEMENT_TOKEN_LIST, NULL, ret_rows);
}

static void add_key(struct pg_params *params, const struct store_idempotency *request)
{
    pg_params_init(params);
    pg_add_i64(params, request->token_id);
    pg_add_text(params, request->key);
}

static enum dsnd_err read_answer(struct store_conn *conn, const struct store_idempotency *request,
                                 struct store_answer *ret_answer, struct dsnd_buf *body)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    add_key(&params, request);
    err = query_one(query_run(conn, STATEMENT_IDEMPOTENCY_GET, &params, &rows), &rows);
    if (err)
        goto out;
    ret_answer->same_request = hex_equal(store_rows_value(rows, 0, 0), request->request_hash);
    ret_answer->status = (int)store_rows_int(rows, 0, 1);
    err = dsnd_str_copy(store_rows_value(rows, 0, 2), ret_answer->content_type,
                        sizeof(ret_answer->content_type));
    if (!err)
        err = dsnd_buf_add(body, store_rows_value(rows, 0, 3));
out:
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_idempotency_begin(struct store_conn *conn,
                                      const struct store_idempotency *request, bool *ret_claimed,
                                      struct store_answer *ret_answer, struct dsnd_buf *body)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    add_key(&params, request);
    pg_add_bytea(&params, dsnd_str_make((const char *)request->request_hash, DIGEST_OCTETS));
    *ret_claimed = false;
    err = pg_run(conn, STATEMENT_BEGIN, NULL, NULL);
    if (!err)
        err = query_run(conn, STATEMENT_IDEMPOTENCY_BEGIN, &params, &rows);
    if (!err) {
        *ret_claimed = store_rows_count(rows) > 0;
        if (!*ret_claimed)
            err = read_answer(conn, request, ret_answer, body);
    }
    if (!*ret_claimed)
        pg_rollback(conn);
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_idempotency_end(struct store_conn *conn,
                                    const struct store_idempotency *request, int status,
                                    const char *content_type, struct dsnd_str body)
{
    struct pg_params params;
    enum dsnd_err err = DSND_OK;

    add_key(&params, request);
    pg_add_i16(&params, (int16_t)status);
    pg_add_text(&params, dsnd_str_of(content_type));
    pg_add_bytea(&params, body);
    if (PQtransactionStatus(conn->pg) == PQTRANS_INTRANS) {
        err = query_run(conn, STATEMENT_IDEMPOTENCY_END, &params, NULL);
        if (!err)
            err = pg_run(conn, STATEMENT_COMMIT, NULL, NULL);
    }
    pg_rollback(conn);
    pg_params_done(&params);
    return err;
}

void store_idempotency_drop(struct store_conn *conn)
{
    pg_rollback(conn);
}
