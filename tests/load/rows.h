/*
 * How many messages have become rows, asked of PostgreSQL. One thread.
 */
#ifndef DSND_TESTS_LOAD_ROWS_H
#define DSND_TESTS_LOAD_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct rows;

/* NULL after a message on standard error. */
struct rows *rows_open(const char *url);
void rows_close(struct rows *self);

/* The parent of the processes that serve connections. */
pid_t rows_postmaster(const struct rows *self);

/* Journal records that have been stored, in whatever form. False after a message. */
bool rows_stored(struct rows *self, uint64_t *ret_count);
/* Rows of the table `name`: "report" or "status". False after a message. */
bool rows_in(struct rows *self, const char *name, uint64_t *ret_count);

#endif
