/*
 * Tests that need PostgreSQL: run under `pg_cluster.sh run`, which gives the URL in the
 * environment. Every failure ends the running test.
 */
#ifndef DSND_TESTS_SUPPORT_DB_H
#define DSND_TESTS_SUPPORT_DB_H

#include <stdint.h>

/* The URL of the cluster's database; ends the program with status 77 where there is none. */
const char *db_url(void);

/* Empty the database, and then bring the schema up to date. */
void db_empty(void);
void db_fresh(void);

/* Run SQL; the first column of the first row as a number or as text (static; "" for NULL). */
void db_exec(const char *sql);
int64_t db_int(const char *sql);
const char *db_text(const char *sql);

/* Run the SQL of a file. */
void db_exec_file(const char *path);

#endif
