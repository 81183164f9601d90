#include "store/totals.h"

#include <stdlib.h>
#include <string.h>

/* Days of some zones begin at a half or a quarter of an hour of UTC. */
#define US_PER_BUCKET INT64_C(900000000)

void totals_init(struct totals *self, struct dsnd_arena *arena)
{
    *self = (struct totals){.arena = arena};
}

static int64_t bucket_of(int64_t us)
{
    int64_t rest = us % US_PER_BUCKET;

    return us - (rest < 0 ? rest + US_PER_BUCKET : rest);
}

static int compare_rows(const void *left, const void *right)
{
    const struct total_row *a = left;
    const struct total_row *b = right;

    if (a->campaign_id != b->campaign_id)
        return a->campaign_id < b->campaign_id ? -1 : 1;
    if (a->hour_us != b->hour_us)
        return a->hour_us < b->hour_us ? -1 : 1;
    if (a->klass != b->klass)
        return a->klass < b->klass ? -1 : 1;
    return dsnd_str_cmp(a->provider, b->provider);
}

static enum dsnd_err grow(struct totals *self)
{
    size_t size = self->size ? self->size * 2 : 256;
    struct total_row *rows = dsnd_arena_array(self->arena, size, sizeof(*rows));

    if (!rows)
        return DSND_ERR_NOMEM;
    if (self->count)
        memcpy(rows, self->rows, self->count * sizeof(*rows));
    self->rows = rows;
    self->size = size;
    return DSND_OK;
}

enum dsnd_err totals_add(struct totals *self, const struct total_key *key, enum total total, int n)
{
    struct total_row row = {
        key->campaign_id, bucket_of(key->us), key->provider, (int16_t)key->klass, {0}};
    struct total_row *last = self->count ? &self->rows[self->count - 1] : NULL;
    enum dsnd_err err;

    if (!dsnd_str_present(row.provider))
        row.provider = DSND_STR("");
    if (last && compare_rows(last, &row) == 0) { /* neighbours are often alike */
        last->counts[total] += n;
        return DSND_OK;
    }
    if (self->count == self->size) {
        totals_merge(self);
        err = self->count >= self->size / 2 ? grow(self) : DSND_OK;
        if (err)
            return err;
    }
    if (!self->rows)
        return DSND_ERR_NOMEM;
    row.counts[total] = n;
    self->rows[self->count++] = row;
    return DSND_OK;
}

static bool is_nothing(const struct total_row *row)
{
    for (int i = 0; i < TOTAL_COUNT; i++)
        if (row->counts[i])
            return false;
    return true;
}

void totals_merge(struct totals *self)
{
    size_t kept = 0;

    if (self->count == 0)
        return;
    qsort(self->rows, self->count, sizeof(*self->rows), compare_rows);
    for (size_t i = 1; i < self->count; i++) {
        struct total_row *last = &self->rows[kept];

        if (compare_rows(last, &self->rows[i]) == 0) {
            for (int c = 0; c < TOTAL_COUNT; c++)
                last->counts[c] += self->rows[i].counts[c];
            continue;
        }
        if (!is_nothing(last))
            kept++;
        self->rows[kept] = self->rows[i];
    }
    self->count = kept + !is_nothing(&self->rows[kept]);
}

void totals_fold_hours(struct totals *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->rows[i].hour_us = 0;
    totals_merge(self);
}

void totals_fold_breakdown(struct totals *self)
{
    for (size_t i = 0; i < self->count; i++) {
        self->rows[i].hour_us = 0;
        self->rows[i].provider = DSND_STR("");
        self->rows[i].klass = 0;
    }
    totals_merge(self);
}
