/*
 * Messages as old and new rules see them, stored by the one and judged again by the other. For
 * tests of dsnd reclassify; everything fails the test where it does not work.
 */
#ifndef DSND_TESTS_SUPPORT_REJUDGE_H
#define DSND_TESTS_SUPPORT_REJUDGE_H

#include "store/reclassify.h"
#include "tests/support/db.h"
#include "tests/support/items.h"
#include "tests/support/unit.h"

enum { REJUDGE_MESSAGES = 120 };

extern const char rejudge_journal[];
/* The same messages as the old and as the new rules see them, and as the old and new parser do. */
extern struct items *rejudge_before;
extern struct items *rejudge_after;

/* One run of dsnd reclassify, and what it told. */
struct rejudge {
    bool reparse;
    const char *rules; /* their version; "test-2" where absent */
    const char *campaign;
    int64_t from_us;
    int64_t to_us;
    void (*between)(void); /* called once, when the first suppressions are done */
    int judged;
    int kill_at; /* the judging, or below 0 the suppression, at which the process dies; 0 never */
    int changed;
    int resuppressed;
    int classes[REPORT_CLASS_COUNT][REPORT_CLASS_COUNT];
};

/* Message number `i`, at random, but the same in each process. */
struct item_spec rejudge_random(int i);
/* REJUDGE_MESSAGES of them; `parsed`: a new parser sees other recipients, too. */
void rejudge_make(bool parsed);
/* Names by which a judge knows the messages again. */
void rejudge_name(struct items *items);
void rejudge_drop(void);

/* Store [from, to), a transaction each; those of rejudge_after as the new rules' version. */
void rejudge_write(struct store_conn *conn, const struct items *items, size_t from, size_t to);
/* What new rules make of the messages from the start becomes `expected`; the old ones' is stored.
 */
void rejudge_prepare(bool parsed);
struct store_reclassify_counts rejudge_run(struct rejudge *run, bool apply, int32_t batch);

#endif
