/*
 * What can happen to a message at a provider, with the words that provider uses, and what dsnd has
 * to make of it. Demonstration and measurement both send these. Static data, any thread.
 */
#ifndef DSND_TESTS_LOAD_OUTCOME_H
#define DSND_TESTS_LOAD_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

#include "parse/report.h"

struct outcome {
    const char *provider; /* family, as the API names it; "" where it is none of the known */
    const char *domain;   /* of the recipient */
    const char *mx;       /* the remote MTA */
    const char *status;   /* the field Status */
    const char *text;     /* what the remote MTA said; {recipient} and {mx} are filled in */
    enum report_class klass;
    unsigned weight; /* how often, compared with the others of its table */
};

/* Refusals for good, and reasons why a message is still in the queue. */
extern const struct outcome outcome_failed[];
extern const size_t outcome_failed_count;
extern const struct outcome outcome_delayed[];
extern const size_t outcome_delayed_count;

/* Providers that send feedback reports. */
extern const struct outcome outcome_complained[];
extern const size_t outcome_complained_count;

/* One of a table, as often as its weight says; `random` is any number. */
const struct outcome *outcome_pick(const struct outcome *table, size_t count, uint64_t random);

/* The delay of the same provider, for what ends otherwise later; outcome_delayed[0] without one. */
const struct outcome *outcome_delay_of(const struct outcome *outcome);

#endif
