/*
 * The demonstration: what happens to each delivery of a campaign, which messages tell of it, and
 * what the API has to show when all have arrived. The same seed gives the same campaign. One
 * thread.
 */
#ifndef DSND_TESTS_LOAD_PLAN_H
#define DSND_TESTS_LOAD_PLAN_H

#include "base/buf.h"
#include "parse/return_path.h"
#include "tests/load/sender.h"

struct plan_options {
    const char *campaign;
    const char *domain;
    const struct return_path_keys *keys;
    uint64_t seed;
    uint64_t sent;    /* deliveries */
    bool signed_only; /* no reports that are forged or unsigned */
};

struct plan;

/* `options` is borrowed until plan_free. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err plan_new(const struct plan_options *options, struct plan **ret_plan);
void plan_free(struct plan *self);

/* The messages, one after the other. `context` is the plan. */
DSND_MUST_CHECK
enum dsnd_err plan_next(void *context, struct sender_message *ret_message, bool *ret_any);

/* One JSON object: counts, classes and providers as GET /v1/campaigns/{key} names them. */
DSND_MUST_CHECK
enum dsnd_err plan_expected(const struct plan *self, struct dsnd_buf *out);

#endif
