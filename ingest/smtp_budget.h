/*
 * The memory that all mail in progress may take together, and each client of it. Any thread.
 */
#ifndef DSND_INGEST_SMTP_BUDGET_H
#define DSND_INGEST_SMTP_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What one client has taken, in all its sessions. */
struct smtp_share {
    _Atomic size_t used; /* octets */
};

struct smtp_budget {
    _Atomic size_t used; /* octets, here and below */
    _Atomic size_t max;
    _Atomic size_t share_max; /* of one client */
};

static inline void smtp_budget_subtract(_Atomic size_t *used, size_t octets)
{
    atomic_fetch_sub_explicit(used, octets, memory_order_relaxed);
}

static inline bool smtp_budget_add(_Atomic size_t *used, const _Atomic size_t *limit, size_t octets)
{
    size_t max = atomic_load_explicit(limit, memory_order_relaxed);
    size_t before = atomic_fetch_add_explicit(used, octets, memory_order_relaxed);

    if (octets <= max && before <= max - octets)
        return true;
    smtp_budget_subtract(used, octets);
    return false;
}

/*
 * Take `octets`; false, and nothing taken, where they would exceed the budget or the client's
 * share. `share` NULL: a client without a limit.
 */
static inline bool smtp_budget_take(struct smtp_budget *self, struct smtp_share *share,
                                    size_t octets)
{
    if (share && !smtp_budget_add(&share->used, &self->share_max, octets))
        return false;
    if (smtp_budget_add(&self->used, &self->max, octets))
        return true;
    if (share)
        smtp_budget_subtract(&share->used, octets);
    return false;
}

/* `share` as it was when they were taken. */
static inline void smtp_budget_give(struct smtp_budget *self, struct smtp_share *share,
                                    size_t octets)
{
    smtp_budget_subtract(&self->used, octets);
    if (share)
        smtp_budget_subtract(&share->used, octets);
}

/* Less than a quarter is left: time to end who holds much and sends little. */
static inline bool smtp_budget_pressed(const struct smtp_budget *self)
{
    size_t max = atomic_load_explicit(&self->max, memory_order_relaxed);

    return atomic_load_explicit(&self->used, memory_order_relaxed) > max - max / 4;
}

#endif
