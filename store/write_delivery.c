#include <stdlib.h>
#include <string.h>

#include "store/write_span.h"

/* An event and whose it is. */
struct move {
    int64_t campaign_id;
    struct dsnd_str ref;
    const struct delivery_event *event;
    size_t order; /* keeps the sort stable */
};

int write_compare_keys(int64_t campaign_a, struct dsnd_str ref_a, int64_t campaign_b,
                       struct dsnd_str ref_b)
{
    if (campaign_a != campaign_b)
        return campaign_a < campaign_b ? -1 : 1;
    return dsnd_str_cmp(ref_a, ref_b);
}

static int compare_moves(const void *left, const void *right)
{
    const struct move *a = left;
    const struct move *b = right;
    int d = write_compare_keys(a->campaign_id, a->ref, b->campaign_id, b->ref);

    return d ? d : a->order < b->order ? -1 : a->order > b->order;
}

static enum dsnd_err collect_moves(struct write_span *self, struct move **ret_moves,
                                   size_t *ret_count)
{
    struct move *moves = dsnd_arena_array(&self->arena, self->status_count + 1, sizeof(*moves));
    size_t count = 0;

    if (!moves)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < self->count; i++) {
        const struct write_item *w = &self->items[i];

        for (size_t s = 0; w->fate == WRITE_FATE_STORED && s < w->status_count; s++) {
            if (!w->statuses[s].counts)
                continue;
            moves[count] =
                (struct move){w->campaign_id, w->statuses[s].ref, &w->statuses[s].event, count};
            count++;
        }
    }
    qsort(moves, count, sizeof(*moves), compare_moves);
    *ret_moves = moves;
    *ret_count = count;
    return DSND_OK;
}

static enum dsnd_err make_deliveries(struct write_span *self, const struct move *moves,
                                     size_t count)
{
    self->deliveries = dsnd_arena_array(&self->arena, count + 1, sizeof(*self->deliveries));
    if (!self->deliveries)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (i && write_compare_keys(moves[i - 1].campaign_id, moves[i - 1].ref,
                                    moves[i].campaign_id, moves[i].ref) == 0)
            continue;
        self->deliveries[self->delivery_count++] = (struct delivery){
            .campaign_id = moves[i].campaign_id,
            .ref = moves[i].ref,
            .provider = DSND_STR(""),
        };
    }
    return DSND_OK;
}

static struct delivery *find_delivery(struct write_span *self, int64_t campaign_id,
                                      struct dsnd_str ref)
{
    size_t low = 0;
    size_t high = self->delivery_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct delivery *d = &self->deliveries[middle];
        int c = write_compare_keys(d->campaign_id, d->ref, campaign_id, ref);

        if (c == 0)
            return d;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Columns as WRITE_DELIVERY_LOCK names them. */
static void read_delivery(const PGresult *rows, int row, struct delivery *d)
{
    d->exists = true;
    d->state = (enum store_state)pg_i16(rows, row, 2);
    d->klass = (enum report_class)pg_i16(rows, row, 3);
    d->kind = (enum store_kind)pg_i16(rows, row, 4);
    d->provider = pg_str(rows, row, 5);
    d->outcome_us = pg_time(rows, row, 6);
    d->status_id = pg_i64(rows, row, 7);
    d->delayed_us = pg_time(rows, row, 8);
    d->delayed_class = (enum report_class)pg_i16(rows, row, 9);
    d->delayed_provider = pg_str(rows, row, 10);
    d->delay_expired_us = pg_time(rows, row, 11);
    d->complained_us = pg_time(rows, row, 12);
    d->complained_provider = pg_str(rows, row, 13);
    d->sent_us = pg_time(rows, row, 14);
    d->sent_registered = pg_bool(rows, row, 15);
}

/* The deliveries are in order of their campaigns. */
static enum dsnd_err lock_campaigns(struct write_span *self)
{
    struct pg_params *p = &self->params;
    int64_t last = 0;

    pg_params_clear(p);
    pg_array_begin(p, PG_INT8);
    for (size_t i = 0; i < self->delivery_count; i++) {
        if (self->deliveries[i].campaign_id != last)
            pg_elem_i64(p, self->deliveries[i].campaign_id);
        last = self->deliveries[i].campaign_id;
    }
    pg_array_end(p);
    return pg_run(self->conn, STATEMENT_WRITE_CAMPAIGN_LOCK, p, NULL);
}

enum dsnd_err write_lock_deliveries(struct write_span *self)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, offsetof(struct delivery, campaign_id)},
        {PG_KIND_TEXT, offsetof(struct delivery, ref)},
    };
    enum dsnd_err err = lock_campaigns(self);

    if (err)
        return err;
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, columns, 2, self->deliveries, sizeof(*self->deliveries),
                self->delivery_count);
    err = pg_run(self->conn, STATEMENT_WRITE_DELIVERY_LOCK, &self->params, &self->delivery_rows);
    for (int i = 0; !err && i < PQntuples(self->delivery_rows); i++) {
        struct delivery *d = find_delivery(self, pg_i64(self->delivery_rows, i, 0),
                                           pg_str(self->delivery_rows, i, 1));

        if (d)
            read_delivery(self->delivery_rows, i, d);
    }
    return err;
}

/* What it counted for goes out of the totals, what it counts for now comes in. */
static enum dsnd_err move_all(struct write_span *self, const struct move *moves, size_t count)
{
    enum dsnd_err err = DSND_OK;
    size_t at = 0;

    for (size_t i = 0; i < self->delivery_count && !err; i++) {
        struct delivery *d = &self->deliveries[i];
        struct delivery before = *d;

        while (at < count && write_compare_keys(moves[at].campaign_id, moves[at].ref,
                                                d->campaign_id, d->ref) == 0)
            delivery_apply(d, moves[at++].event);
        if (!d->changed)
            continue;
        if (before.exists)
            err = delivery_count(&before, -1, &self->totals);
        if (!err)
            err = delivery_count(d, 1, &self->totals);
    }
    return err;
}

static enum dsnd_err count_statuses(struct write_span *self)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < self->count && !err; i++) {
        const struct write_item *w = &self->items[i];

        for (size_t s = 0; w->fate == WRITE_FATE_STORED && s < w->status_count && !err; s++) {
            const struct write_status *status = &w->statuses[s];
            struct total_key key = {w->campaign_id, w->item.received_us,
                                    status->recipient->provider, status->recipient->klass};

            err = totals_add(&self->totals, &key, TOTAL_STATUSES, 1);
            if (!err && status->evidence != STORE_EVIDENCE_NONE)
                err = totals_add(&self->totals, &key, TOTAL_PROVEN, 1);
        }
    }
    return err;
}

enum dsnd_err write_deliveries(struct write_span *self)
{
    struct move *moves = NULL;
    size_t count = 0;
    enum dsnd_err err;

    totals_init(&self->totals, &self->arena);
    err = collect_moves(self, &moves, &count);
    if (!err)
        err = make_deliveries(self, moves, count);
    if (!err)
        err = write_sends(self);
    if (!err && self->delivery_count)
        err = write_lock_deliveries(self);
    if (!err)
        err = move_all(self, moves, count);
    return err ? err : count_statuses(self);
}
