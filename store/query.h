/*
 * Rows that a query gave: text values by row and column, as PostgreSQL prints them with the time
 * zone UTC and ISO dates. Each query function names its columns in an enum, in order.
 *
 * Results of every query function: DSND_ERR_UNAVAILABLE: the database is away or busy, try again;
 * DSND_ERR_REFUSED: PostgreSQL cannot store or read a given value;
 * DSND_ERR_VERSION; DSND_ERR_NOMEM. A connection serves one thread.
 */
#ifndef DSND_STORE_QUERY_H
#define DSND_STORE_QUERY_H

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
void store_rows_free(struct store_rows *self);

#endif
