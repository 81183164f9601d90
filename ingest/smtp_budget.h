/*
 * The memory that all mail in progress may take together. Any thread.
 */
#ifndef DSND_INGEST_SMTP_BUDGET_H
#define DSND_INGEST_SMTP_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct smtp_budget {
    _Atomic size_t used; /* octets */
    _Atomic size_t max;
};

/* Take `octets`; false, and nothing taken, where they would exceed the budget. */
static inline bool smtp_budget_take(struct smtp_budget *self, size_t octets)
{
    size_t max = atomic_load_explicit(&self->max, memory_order_relaxed);
    size_t before = atomic_fetch_add_explicit(&self->used, octets, memory_order_relaxed);

    if (octets <= max && before <= max - octets)
        return true;
    atomic_fetch_sub_explicit(&self->used, octets, memory_order_relaxed);
    return false;
}

static inline void smtp_budget_give(struct smtp_budget *self, size_t octets)
{
    atomic_fetch_sub_explicit(&self->used, octets, memory_order_relaxed);
}

#endif
