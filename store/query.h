/*
 * Rows that a query gave: text values by row and column, as PostgreSQL prints them with the time
 * zone UTC and ISO dates (but see store_rows_text). Each query function names its columns in an
 * enum, in order.
 *
 * Results of every query function: DSND_ERR_UNAVAILABLE: the database is away or busy, try again;
 * DSND_ERR_REFUSED: PostgreSQL cannot store or read a given value;
 * DSND_ERR_VERSION; DSND_ERR_NOMEM. A connection serves one thread.
 */
#ifndef DSND_STORE_QUERY_H
#define DSND_STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/store.h"

struct store_rows;

size_t store_rows_count(const struct store_rows *self); /* NULL counts as no row */
/* Absent where the value is NULL; borrowed from `self`. */
struct dsnd_str store_rows_value(const struct store_rows *self, size_t row, size_t column);
/* A whole number; 0 where it is NULL or none. */
int64_t store_rows_int(const struct store_rows *self, size_t row, size_t column);

/*
 * Long lists give numbers, booleans, times, octets and lists of numbers as they are, because
 * PostgreSQL would take longer over their text than over all the rest.
 */
enum { STORE_TEXT_SIZE = 65 };
/* Any value but a list as text, in `dst` or borrowed from `self`: times in RFC 3339, octets in
 * hexadecimal. Absent where it is NULL, or a time without end. */
struct dsnd_str store_rows_text(const struct store_rows *self, size_t row, size_t column,
                                char dst[STORE_TEXT_SIZE]);
/* Of a list: how many numbers it holds (NULL counts as none), and the one at `i`. */
size_t store_rows_list_count(const struct store_rows *self, size_t row, size_t column);
int64_t store_rows_list_item(const struct store_rows *self, size_t row, size_t column, size_t i);
void store_rows_free(struct store_rows *self);

/*
 * Between these two, query functions that give rows only ask PostgreSQL for them: `*ret_rows` stays
 * as it is, and store_rows_take waits for them. Nothing else may be asked before that.
 */
void store_rows_ahead(struct store_conn *conn, bool on);
DSND_MUST_CHECK
enum dsnd_err store_rows_take(struct store_conn *conn, struct store_rows **ret_rows);
/* Rows were asked for and not taken yet. */
bool store_rows_due(const struct store_conn *conn);
/* Nobody wants them any more. Waits for nothing: where they are not here yet the connection is
 * given up. */
void store_rows_drop(struct store_conn *conn);

#endif
