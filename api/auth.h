/*
 * Bearer tokens (RFC 6750): dsnd_ and 52 characters of base32, 256 random bits. The database holds
 * their SHA-256; what it said is remembered for a few seconds, so that a busy client costs no query
 * a request and a revoked token ends soon. Any thread.
 */
#ifndef DSND_API_AUTH_H
#define DSND_API_AUTH_H

#include "base/err.h"
#include "base/str.h"
#include "store/query_token.h"

enum {
    AUTH_TOKEN_SIZE = 5 + 52 + 1, /* a token and its NUL */
    AUTH_REMEMBER_MS = 3000,
};

struct auth;

DSND_MUST_CHECK
enum dsnd_err auth_new(struct auth **ret_auth); /* DSND_ERR_NOMEM, DSND_ERR_IO */
void auth_free(struct auth *self);

/*
 * The SHA-256 of the token in an Authorization header. DSND_ERR_SYNTAX: none of the form above.
 */
DSND_MUST_CHECK
enum dsnd_err auth_read(struct dsnd_str header, unsigned char ret_hash[32]);

/* Whose token this is, as remembered. DSND_ERR_NOT_FOUND: ask the database, then auth_remember. */
DSND_MUST_CHECK
enum dsnd_err auth_recall(struct auth *self, const unsigned char hash[32],
                          struct store_token *ret_token);
void auth_remember(struct auth *self, const unsigned char hash[32],
                   const struct store_token *token);

/* A new token and its SHA-256. DSND_ERR_IO: no randomness; DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err auth_mint(char ret_token[AUTH_TOKEN_SIZE], unsigned char ret_hash[32]);

#endif
