/*
 * A delivery is what all its records say. When one of them says something else, the others are
 * read, and it is made anew. What the records there are do not explain (retention has dropped
 * older ones) stays as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "store/reclassify_span.h"

/* A record of a delivery: before, after, or both. */
struct fact {
    int64_t campaign_id;
    struct dsnd_str ref;
    struct delivery_event event;
    bool before;
    bool after;
};

struct facts {
    struct fact *list;
    size_t count;
};

static int compare_facts(const void *left, const void *right)
{
    const struct fact *a = left;
    const struct fact *b = right;
    int d = write_compare_keys(a->campaign_id, a->ref, b->campaign_id, b->ref);

    if (!d)
        d = a->event.status_id < b->event.status_id ? -1 : a->event.status_id > b->event.status_id;
    return d;
}

static bool same_event(const struct write_status *a, const struct write_status *b)
{
    return a->counts == b->counts &&
           (!a->counts ||
            (a->event.state == b->event.state && a->event.complaint == b->event.complaint &&
             a->event.klass == b->event.klass && a->event.kind == b->event.kind &&
             dsnd_str_eq(a->event.provider, b->event.provider)));
}

static void add_fact(struct facts *facts, int64_t campaign_id, const struct write_status *status,
                     bool before)
{
    if (status->counts)
        facts->list[facts->count++] =
            (struct fact){campaign_id, status->ref, status->event, before, !before};
}

/* Records of one report that move another delivery than before, or otherwise. */
static void collect_item(const struct again_item *item, const struct write_item *w,
                         struct facts *facts)
{
    size_t places = item->old_count > w->status_count ? item->old_count : w->status_count;

    for (size_t i = 0; i < places && !item->fixed; i++) {
        const struct again_old *old = i < item->old_count ? &item->olds[i] : NULL;
        const struct write_status *status = i < w->status_count ? &w->statuses[i] : NULL;

        if (old && status && old->campaign_id == w->campaign_id &&
            dsnd_str_eq(old->status.ref, status->ref) && same_event(&old->status, status))
            continue;
        if (old)
            add_fact(facts, old->campaign_id, &old->status, true);
        if (status)
            add_fact(facts, w->campaign_id, status, false);
    }
}

static enum dsnd_err collect(struct again *self, struct facts *facts)
{
    size_t most = self->span.status_count + 1;

    for (size_t i = 0; i < self->span.count; i++)
        most += self->items[i].old_count;
    facts->list = dsnd_arena_array(&self->span.arena, most, sizeof(*facts->list));
    if (!facts->list)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < self->span.count; i++)
        collect_item(&self->items[i], &self->span.items[i], facts);
    qsort(facts->list, facts->count, sizeof(*facts->list), compare_facts);
    return DSND_OK;
}

static enum dsnd_err name_deliveries(struct write_span *span, const struct facts *facts)
{
    span->deliveries = dsnd_arena_array(&span->arena, facts->count + 1, sizeof(*span->deliveries));
    if (!span->deliveries)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < facts->count; i++) {
        const struct fact *f = &facts->list[i];

        if (i && write_compare_keys(f[-1].campaign_id, f[-1].ref, f->campaign_id, f->ref) == 0)
            continue;
        span->deliveries[span->delivery_count++] = (struct delivery){
            .campaign_id = f->campaign_id, .ref = f->ref, .provider = DSND_STR("")};
    }
    return DSND_OK;
}

/* The other records of these deliveries, as they are. */
static enum dsnd_err load_others(struct again *self, const struct facts *facts)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, offsetof(struct delivery, campaign_id)},
        {PG_KIND_TEXT, offsetof(struct delivery, ref)},
    };
    struct pg_params *p = &self->span.params;

    pg_params_clear(p);
    pg_add_rows(p, columns, 2, self->span.deliveries, sizeof(*self->span.deliveries),
                self->span.delivery_count);
    pg_array_begin(p, PG_INT8);
    for (size_t i = 0; i < facts->count; i++)
        pg_elem_i64(p, facts->list[i].event.status_id);
    pg_array_end(p);
    return pg_run(self->span.conn, STATEMENT_RECLASSIFY_EVENTS, p, &self->events);
}

static void read_other(const struct again *self, int row, struct facts *facts)
{
    const PGresult *rows = self->events;
    struct report report = {
        .kind = (enum report_kind)pg_i16(rows, row, 8),
        .feedback = (enum report_feedback)pg_i16(rows, row, 9),
    };
    struct report_recipient recipient = {
        .action = (enum report_action)pg_i16(rows, row, 4),
        .klass = (enum report_class)pg_i16(rows, row, 5),
        .permanence = (enum report_permanence)pg_i16(rows, row, 6),
        .provider = pg_str(rows, row, 7),
    };
    struct write_status status = {.recipient = &recipient,
                                  .id = pg_i64(rows, row, 0),
                                  .evidence = (enum store_evidence)pg_i16(rows, row, 10),
                                  .ref = pg_str(rows, row, 2)};

    again_event(self, &report, &status, pg_time(rows, row, 3));
    if (!status.counts)
        return;
    add_fact(facts, pg_i64(rows, row, 1), &status, true);
    facts->list[facts->count - 1].after = true;
}

static enum dsnd_err add_others(struct again *self, struct facts *facts)
{
    size_t more = (size_t)PQntuples(self->events);
    struct fact *list = dsnd_arena_array(&self->span.arena, facts->count + more + 1, sizeof(*list));

    if (!list)
        return DSND_ERR_NOMEM;
    if (facts->count)
        memcpy(list, facts->list, facts->count * sizeof(*list));
    facts->list = list;
    for (size_t i = 0; i < more; i++)
        read_other(self, (int)i, facts);
    qsort(facts->list, facts->count, sizeof(*facts->list), compare_facts);
    return DSND_OK;
}

/* The same delivery before any record of it. */
static struct delivery blank(const struct delivery *d)
{
    struct delivery none = *d;

    none.changed = false;
    none.state = STORE_STATE_SENT;
    none.klass = REPORT_CLASS_NONE;
    none.kind = STORE_KIND_NONE;
    none.provider = DSND_STR("");
    none.outcome_us = 0;
    none.status_id = 0;
    none.delayed_us = 0;
    none.delayed_class = REPORT_CLASS_NONE;
    none.delayed_provider = DSND_STR_ABSENT;
    none.delay_expired_us = 0;
    none.complained_us = 0;
    none.complained_provider = DSND_STR_ABSENT;
    return none;
}

static bool same_outcome(const struct delivery *a, const struct delivery *b)
{
    return a->state == b->state && a->klass == b->klass && a->kind == b->kind &&
           a->outcome_us == b->outcome_us && dsnd_str_eq(a->provider, b->provider);
}

static bool same_delay(const struct delivery *a, const struct delivery *b)
{
    return a->delayed_us == b->delayed_us && a->delayed_class == b->delayed_class &&
           dsnd_str_eq(a->delayed_provider, b->delayed_provider);
}

static bool same_complaint(const struct delivery *a, const struct delivery *b)
{
    return a->complained_us == b->complained_us &&
           dsnd_str_eq(a->complained_provider, b->complained_provider);
}

/* What `stored` holds beyond `explained` counts for `d` as well. */
static void carry(const struct delivery *stored, const struct delivery *explained,
                  struct delivery *d)
{
    struct delivery_event outcome = {.state = stored->state,
                                     .klass = stored->klass,
                                     .kind = stored->kind,
                                     .provider = stored->provider,
                                     .us = stored->outcome_us,
                                     .status_id = stored->status_id};
    struct delivery_event delay = {.state = STORE_STATE_DELAYED,
                                   .klass = stored->delayed_class,
                                   .provider = stored->delayed_provider,
                                   .us = stored->delayed_us,
                                   .status_id = stored->status_id};
    struct delivery_event complaint = {.complaint = true,
                                       .klass = REPORT_CLASS_COMPLAINT,
                                       .provider = stored->complained_provider,
                                       .us = stored->complained_us,
                                       .status_id = stored->status_id};

    if (!stored->exists)
        return;
    if (stored->state != STORE_STATE_SENT && !same_outcome(stored, explained))
        delivery_apply(d, &outcome);
    if (stored->delayed_us && !same_delay(stored, explained))
        delivery_apply(d, &delay);
    if (stored->complained_us && !same_complaint(stored, explained))
        delivery_apply(d, &complaint);
}

static enum dsnd_err move(struct again *self, struct delivery *d, const struct fact *facts,
                          size_t count)
{
    struct delivery stored = *d;
    struct delivery explained = blank(d);
    struct delivery now = blank(d);
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < count; i++) {
        if (facts[i].before)
            delivery_apply(&explained, &facts[i].event);
        if (facts[i].after)
            delivery_apply(&now, &facts[i].event);
    }
    carry(&stored, &explained, &now);
    if (now.state == STORE_STATE_DELAYED && stored.state == STORE_STATE_DELAYED)
        now.delay_expired_us = stored.delay_expired_us;
    now.changed = true;
    if (stored.exists)
        err = delivery_count(&stored, -1, &self->span.totals);
    if (!err && (now.state != STORE_STATE_SENT || now.complained_us))
        err = delivery_count(&now, 1, &self->span.totals);
    else if (!err) {
        now.changed = false;
        if (stored.exists)
            self->gone[self->gone_count++] = stored;
    }
    *d = now;
    return err;
}

static enum dsnd_err move_all(struct again *self, const struct facts *facts)
{
    struct write_span *span = &self->span;
    enum dsnd_err err = DSND_OK;
    size_t at = 0;

    self->gone = dsnd_arena_array(&span->arena, span->delivery_count + 1, sizeof(*self->gone));
    if (!self->gone)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < span->delivery_count && !err; i++) {
        struct delivery *d = &span->deliveries[i];
        size_t from = at;

        while (at < facts->count &&
               write_compare_keys(facts->list[at].campaign_id, facts->list[at].ref, d->campaign_id,
                                  d->ref) == 0)
            at++;
        err = move(self, d, facts->list + from, at - from);
    }
    return err;
}

enum dsnd_err again_deliveries(struct again *self)
{
    struct facts facts = {0};
    enum dsnd_err err = collect(self, &facts);

    if (err || !facts.count)
        return err;
    err = name_deliveries(&self->span, &facts);
    if (!err)
        err = write_lock_deliveries(&self->span);
    if (!err)
        err = load_others(self, &facts);
    if (!err)
        err = add_others(self, &facts);
    return err ? err : move_all(self, &facts);
}
