/*
 * Groups of one report that say the same of one delivery are one record: a list that expands to
 * many people fails once for its delivery, and whoever repeats a group a thousand times has said it
 * once. The report says how many were left out, as it does of those beyond a limit.
 */
#include "store/write_span.h"

static bool says_the_same(const struct write_status *a, const struct write_status *b)
{
    return a->recipient->action == b->recipient->action &&
           a->recipient->klass == b->recipient->klass && dsnd_str_eq(a->ref, b->ref);
}

/* The rows are numbered by their place, whatever stands there. */
static void put(struct write_status *place, const struct write_status *status)
{
    int64_t id = place->id;

    *place = *status;
    place->id = id;
    place->event.status_id = id;
}

static void fold_item(struct write_item *w)
{
    size_t kept = 0;

    for (size_t i = 0; i < w->status_count; i++) {
        const struct write_status *s = &w->statuses[i];
        size_t at = 0;

        while (at < kept && !says_the_same(&w->statuses[at], s))
            at++;
        /* Of several the first with the best evidence. */
        if (at == kept || s->evidence > w->statuses[at].evidence)
            put(&w->statuses[at], s);
        kept += at == kept;
    }
    w->report.recipient_count -= w->status_count - kept;
    w->report.recipients_dropped += w->status_count - kept;
    w->status_count = kept;
}

void write_fold(struct write_span *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].fate == WRITE_FATE_STORED && self->items[i].status_count > 1)
            fold_item(&self->items[i]);
}
