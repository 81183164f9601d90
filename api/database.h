/*
 * Connections for requests. While the database is away every request is refused at once, and a
 * thread of its own tries to reach it again, so that nobody waits for a connection that cannot be
 * made. Any thread.
 */
#ifndef DSND_API_DATABASE_H
#define DSND_API_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

struct database;

/*
 * At most `size` connections of `application` (store_connect), and `keep` more that streams may
 * keep between two pages; a statement may take `limit_ms`. Returns when the first attempt to
 * connect is over, after a second at the latest; that it failed is no error. DSND_ERR_NOMEM,
 * DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err database_new(const char *url, const char *application, size_t size, size_t keep,
                           unsigned limit_ms, struct database **ret_database);
void database_free(struct database *self); /* all connections must have been given back */

/* NULL with an error. DSND_ERR_UNAVAILABLE, DSND_ERR_VERSION: see database_error. */
DSND_MUST_CHECK
enum dsnd_err database_take(struct database *self, struct store_conn **ret_conn);
/* The same where a statement may take only about `left_ms` > 0, if that is less than the limit. */
DSND_MUST_CHECK
enum dsnd_err database_take_for(struct database *self, int64_t left_ms,
                                struct store_conn **ret_conn);
void database_give(struct database *self, struct store_conn *conn); /* NULL is fine */

/* The right to keep a connection for longer than one call takes, given back with database_unkeep:
 * whoever reads slowly takes none from others. False where all are given out. */
DSND_MUST_CHECK
bool database_keep(struct database *self);
void database_unkeep(struct database *self);

/* The last attempt succeeded. */
bool database_up(struct database *self);
/* Why not, in words, into `dst` of `size` >= 1 octets. */
void database_error(struct database *self, char *dst, size_t size);

#endif
