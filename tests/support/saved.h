/*
 * What a database holds, but for ids: kept in a schema, and compared with what another way there
 * has given. For tests of dsnd reclassify.
 */
#ifndef DSND_TESTS_SUPPORT_SAVED_H
#define DSND_TESTS_SUPPORT_SAVED_H

/* Keep it in this schema, which is made anew. */
void saved_take(const char *schema);
/* No records, as after migration. */
void saved_empty(void);
/* The schema holds what `expected` does, or the test fails with the first differences. */
void saved_compare(const char *schema);
/* The database is as `expected` says, and its totals are right. */
void saved_check(void);

#endif
