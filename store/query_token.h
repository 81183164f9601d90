/*
 * API tokens, and the answers kept under Idempotency-Keys. Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_TOKEN_H
#define DSND_STORE_QUERY_TOKEN_H

#include <stdbool.h>

#include "base/buf.h"
#include "store/query.h"

/* What a token allows; a token holds the OR of them, and the numbers are stored. */
enum store_scope {
    STORE_SCOPE_READ = 1,
    STORE_SCOPE_WRITE = 2,
    STORE_SCOPE_SUPPRESSIONS = 4,
    STORE_SCOPE_ADMIN = 8,
};

struct store_token {
    int64_t id;
    unsigned scopes;
};

/* The valid token of this SHA-256. DSND_ERR_NOT_FOUND: unknown, expired or revoked. */
DSND_MUST_CHECK
enum dsnd_err store_token_find(struct store_conn *conn, const unsigned char hash[32],
                               struct store_token *ret_token);
/* `expires` is a time as PostgreSQL reads it, or absent. DSND_ERR_REFUSED: that time is none. */
DSND_MUST_CHECK
enum dsnd_err store_token_add(struct store_conn *conn, const unsigned char hash[32],
                              struct dsnd_str name, unsigned scopes, struct dsnd_str expires,
                              int64_t *ret_id);
/* DSND_ERR_NOT_FOUND: there is none of this number that is not revoked already. */
DSND_MUST_CHECK
enum dsnd_err store_token_revoke(struct store_conn *conn, int64_t id);

enum store_token_column {
    STORE_TOKEN_ID,
    STORE_TOKEN_NAME,
    STORE_TOKEN_SCOPES,
    STORE_TOKEN_CREATED_AT,
    STORE_TOKEN_EXPIRES_AT,
    STORE_TOKEN_REVOKED_AT,
};
DSND_MUST_CHECK
enum dsnd_err store_token_list(struct store_conn *conn, struct store_rows **ret_rows);

/* Who used which key for which request. */
struct store_idempotency {
    int64_t token_id;
    struct dsnd_str key;
    unsigned char request_hash[32];
};

/* An answer kept under a key. */
struct store_answer {
    bool same_request;
    int status; /* 0: the first request is still under way */
    char content_type[128];
};

/*
 * Claim the key: `*ret_claimed` says that this request is the first. All it does until
 * store_idempotency_end or _drop, one of which must follow, is one transaction with its answer; who
 * uses the key meanwhile waits. Else the answer of the first is in `*ret_answer` and `body`.
 */
DSND_MUST_CHECK
enum dsnd_err store_idempotency_begin(struct store_conn *conn,
                                      const struct store_idempotency *request, bool *ret_claimed,
                                      struct store_answer *ret_answer, struct dsnd_buf *body);
/*
 * Keep the answer and commit; nothing is kept where a statement of the request has failed.
 * DSND_ERR_UNAVAILABLE: nothing was done, or all of it and the answer is kept.
 */
DSND_MUST_CHECK
enum dsnd_err store_idempotency_end(struct store_conn *conn,
                                    const struct store_idempotency *request, int status,
                                    const char *content_type, struct dsnd_str body);
/* Undo the request and forget the key: it failed for a reason that may pass. */
void store_idempotency_drop(struct store_conn *conn);

#endif
