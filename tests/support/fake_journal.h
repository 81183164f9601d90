/*
 * A journal that keeps nothing but counts, for tests of the receiver: the functions of
 * ingest/journal.h for writing, with a committer thread, and switches for its failures.
 */
#ifndef DSND_TESTS_SUPPORT_FAKE_JOURNAL_H
#define DSND_TESTS_SUPPORT_FAKE_JOURNAL_H

#include "ingest/journal.h"

/* What appends are answered with from now on: at once, and by the callback. */
void fake_journal_fail(enum dsnd_err at_once, enum dsnd_err later);
/* While held, no callback comes. */
void fake_journal_hold(bool held);
/* A full disk, or not. */
void fake_journal_space(bool space);
/* Messages acknowledged so far. */
uint64_t fake_journal_count(void);

#endif
