/*
 * The store: connections to PostgreSQL, their pool, and the words for what can go wrong. libpq is
 * seen only inside store/. A connection is used by one thread at a time.
 */
#ifndef DSND_STORE_STORE_H
#define DSND_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* The newest schema version this program knows; the number of the last file in sql/. */
extern const int store_schema_version;

struct store_conn;
struct store_pool;

/* Whether libpq can make sense of `url`; nothing is asked of any server. */
bool store_url_valid(const char *url);

/*
 * Connect; statements are prepared on first use. `url` as libpq takes it. `application` names the
 * process in pg_stat_activity. DSND_ERR_UNAVAILABLE: the database is away; DSND_ERR_VERSION: the
 * schema is not the one this program knows (store_conn_error says what to run); DSND_ERR_NOMEM.
 * With the first two errors `*ret_conn` is set as well, good only for store_conn_error and
 * store_conn_free; with DSND_ERR_NOMEM it is NULL.
 */
DSND_MUST_CHECK
enum dsnd_err store_connect(const char *url, const char *application, struct store_conn **ret_conn);
void store_conn_free(struct store_conn *self);

/* The last error in words, without row data; borrowed until the next call. */
const char *store_conn_error(const struct store_conn *self);

/* How long each statement may take from now on, and little more its answer, should the server say
 * nothing at all; at first it is 30 s. DSND_ERR_UNAVAILABLE. */
DSND_MUST_CHECK
enum dsnd_err store_conn_limit(struct store_conn *self, unsigned ms);
/* The last statement failed because it took longer than that. */
bool store_conn_was_slow(const struct store_conn *self);

/*
 * At most `size` connections, made when first needed and made again after a loss. Any thread.
 * store_pool_take waits at most `timeout_ms`; DSND_ERR_UNAVAILABLE when none became free or the
 * database is away, DSND_ERR_VERSION as store_connect.
 */
DSND_MUST_CHECK
enum dsnd_err store_pool_new(const char *url, const char *application, size_t size,
                             struct store_pool **ret_pool);
void store_pool_free(struct store_pool *self); /* all connections must have been given back */
DSND_MUST_CHECK
enum dsnd_err store_pool_take(struct store_pool *self, unsigned timeout_ms,
                              struct store_conn **ret_conn);
/* A connection that broke is dropped, not kept. NULL is fine. */
void store_pool_give(struct store_pool *self, struct store_conn *conn);
/* Why the last store_pool_take that failed did so, in words, into `dst` of `size` >= 1 octets. */
void store_pool_error(struct store_pool *self, char *dst, size_t size);

/*
 * Bring the schema up to date, one transaction a file, under an advisory lock, and make the
 * partitions of the days around today; `*ret_applied` counts files. Run again it does nothing.
 * DSND_ERR_UNAVAILABLE; DSND_ERR_VERSION: the schema is newer than this program;
 * DSND_ERR_CONFLICT: an applied file is not the one this program holds; DSND_ERR_REFUSED: a file
 * failed and left nothing behind. `error` of `error_size` then says it in words.
 */
DSND_MUST_CHECK
enum dsnd_err store_migrate(const char *url, int *ret_applied, char *error, size_t error_size);

#endif
