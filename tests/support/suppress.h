/*
 * Reports that suppress, stored one by one, and who is suppressed then. For tests of the list;
 * everything fails the test where it does not work.
 */
#ifndef DSND_TESTS_SUPPORT_SUPPRESS_H
#define DSND_TESTS_SUPPORT_SUPPRESS_H

#include "tests/support/items.h"

/* Messages of one run share a journal. */
struct suppress {
    struct items *items;
    struct store_conn *conn;
};
extern const char suppress_journal[];

/* With a fresh database. */
struct suppress suppress_begin(void);
/* Totals and the feed's numbers are right; free all. */
void suppress_end(struct suppress *run);

/* A lasting failure of a@b.example, proven by a return path of the campaign. */
struct item_spec suppress_failure(const char *campaign, enum report_class klass);
/* Store it, as a batch of its own. */
void suppress_receive(struct suppress *run, struct item_spec spec);
/* By the check that the API has. */
bool suppress_is_on(struct suppress *run, const char *address);

#endif
