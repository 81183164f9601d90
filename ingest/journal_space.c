#include "ingest/journal_space.h"

#include "base/clock.h"
#include "base/metrics.h"

enum { ASK_EVERY_MS = 250 };

static void ask(struct journal_space *self)
{
    uint64_t octets = 0;

    /* Where the system cannot say, writing will: refusing mail for want of a figure helps nobody.
     */
    if (self->files->free_octets(self->dir_fd, &octets) != 0)
        octets = UINT64_MAX;
    atomic_store(&self->free_octets, octets);
    metrics_set(METRIC_JOURNAL_FREE, octets);
    metrics_set(METRIC_JOURNAL_FULL, octets <= self->min_free_octets);
}

void journal_space_init(struct journal_space *self, const struct journal_files *files, int dir_fd,
                        uint64_t min_free_octets)
{
    self->files = files;
    self->dir_fd = dir_fd;
    self->min_free_octets = min_free_octets;
    atomic_init(&self->free_octets, 0);
    atomic_init(&self->asked_ms, dsnd_clock_monotonic_ms());
    ask(self);
}

bool journal_space_ok(struct journal_space *self)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();
    int64_t asked_ms = atomic_load(&self->asked_ms);

    if (now_ms - asked_ms >= ASK_EVERY_MS &&
        atomic_compare_exchange_strong(&self->asked_ms, &asked_ms, now_ms))
        ask(self);
    return atomic_load(&self->free_octets) > self->min_free_octets;
}

uint64_t journal_space_grant(struct journal_space *self, uint64_t octets)
{
    uint64_t free_octets;

    ask(self);
    free_octets = atomic_load(&self->free_octets);
    /* Twice, so that the mail of a whole segment later the reserve is still whole. */
    if (free_octets <= self->min_free_octets || (free_octets - self->min_free_octets) / 2 < octets)
        return 0;
    return octets;
}
