#include "store/reclassify_span.h"

void again_event(const struct again *self, const struct report *report, struct write_status *status,
                 int64_t received_us)
{
    status->moves = delivery_event_of(report, status->recipient, &status->event);
    status->counts = status->moves && status->evidence >= self->span.policy->min_evidence;
    status->event.us = received_us;
    status->event.status_id = status->id;
}

static bool same_code(struct report_status a, struct report_status b)
{
    return a.klass == b.klass && (!a.klass || (a.subject == b.subject && a.detail == b.detail));
}

/* What the message said. */
static bool same_facts(const struct report_recipient *a, const struct report_recipient *b)
{
    return a->action == b->action && a->smtp_code == b->smtp_code &&
           same_code(a->status, b->status) && same_code(a->smtp_status, b->smtp_status) &&
           dsnd_str_eq(a->recipient, b->recipient) &&
           dsnd_str_eq(a->final_recipient, b->final_recipient) &&
           dsnd_str_eq(a->original_recipient, b->original_recipient) &&
           dsnd_str_eq(a->remote_mta, b->remote_mta) && dsnd_str_eq(a->diagnostic, b->diagnostic) &&
           dsnd_str_eq(a->will_retry_until, b->will_retry_until);
}

/* What the rules made of it. */
static bool same_judgement(const struct report_recipient *a, const struct report_recipient *b)
{
    return a->klass == b->klass && a->cause == b->cause && a->permanence == b->permanence &&
           a->fault == b->fault && a->retry_after_s == b->retry_after_s &&
           dsnd_str_eq(a->provider, b->provider) && dsnd_str_eq(a->rule, b->rule) &&
           dsnd_str_eq(a->matched, b->matched) && dsnd_str_eq(a->blocklist, b->blocklist);
}

static bool same_status(const struct again_old *old, const struct write_item *w,
                        const struct write_status *s)
{
    return old->campaign_id == w->campaign_id && old->status.evidence == s->evidence &&
           dsnd_str_eq(old->status.ref, s->ref) && dsnd_str_eq(old->status.proven, s->proven) &&
           same_facts(old->status.recipient, s->recipient) &&
           same_judgement(old->status.recipient, s->recipient);
}

/* What there is at a place of a report, before and after; NULL where there is nothing. */
struct place {
    struct again_old *old;
    struct write_status *status;
};

static size_t count_places(const struct again *self, size_t item)
{
    size_t before = self->items[item].old_count;
    size_t after = self->span.items[item].status_count;

    return before > after ? before : after;
}

static struct place place_of(const struct again *self, size_t item, size_t place)
{
    const struct again_item *before = &self->items[item];
    const struct write_item *after = &self->span.items[item];

    return (struct place){
        .old = place < before->old_count ? &before->olds[place] : NULL,
        .status = place < after->status_count ? &after->statuses[place] : NULL,
    };
}

void again_tell(const struct again *self)
{
    for (size_t i = 0; i < self->span.count; i++) {
        const struct write_item *w = &self->span.items[i];

        for (size_t s = 0; s < count_places(self, i) && !self->items[i].fixed; s++) {
            struct place p = place_of(self, i, s);
            struct store_reclassified change = {
                .status_id = p.old ? p.old->status.id : 0,
                .before = p.old ? p.old->status.recipient : NULL,
                .after = p.status ? p.status->recipient : NULL,
            };

            if (!p.old && p.status)
                change.status_id = p.status->id;
            if (!p.old || !p.status || !same_status(p.old, w, p.status))
                self->what->changed(self->what->context, &change);
        }
    }
}

/* The totals count what comes in and what goes out. */
static enum dsnd_err count_status(struct again *self, int64_t campaign_id, int64_t us,
                                  const struct write_status *status, int sign)
{
    struct total_key key = {campaign_id, us, status->recipient->provider, status->recipient->klass};
    enum dsnd_err err = totals_add(&self->span.totals, &key, TOTAL_STATUSES, sign);

    if (!err && status->evidence != STORE_EVIDENCE_NONE)
        err = totals_add(&self->span.totals, &key, TOTAL_PROVEN, sign);
    return err;
}

static enum dsnd_err compare_place(struct again *self, size_t i, struct place place)
{
    struct again_item *item = &self->items[i];
    const struct write_item *w = &self->span.items[i];
    struct again_old *old = place.old;
    struct write_status *status = place.status;
    bool same = old && status && same_status(old, w, status);
    bool same_version = old && dsnd_str_eq(old->rules_version, self->span.policy->rules_version);
    enum dsnd_err err = DSND_OK;

    if (status)
        status->is_written = item->fixed || (same && same_version);
    if (item->fixed || (same && same_version))
        return DSND_OK;
    item->changes = true;
    self->written++;
    if (old)
        old->changes = true;
    if (same)
        return DSND_OK;
    self->changed++;
    if (old)
        err = count_status(self, old->campaign_id, item->received_us, &old->status, -1);
    if (!err && status)
        err = count_status(self, w->campaign_id, item->received_us, status, 1);
    return err;
}

static bool same_report(const struct again *self, const struct again_item *item,
                        const struct write_item *w)
{
    const struct report *a = &item->report;
    const struct report *b = &w->report;

    return dsnd_str_eq(item->rules_version, self->span.policy->rules_version) &&
           item->campaign_id == w->campaign_id && item->attribution == w->attribution &&
           a->kind == b->kind && a->feedback == b->feedback && a->warnings == b->warnings &&
           a->recipient_count == b->recipient_count &&
           a->recipients_dropped == b->recipients_dropped &&
           dsnd_str_eq(a->envelope_id, b->envelope_id) &&
           dsnd_str_eq(a->reporting_mta, b->reporting_mta) &&
           dsnd_str_eq(a->arrival_date, b->arrival_date) &&
           dsnd_str_eq(a->message_id, b->message_id) && dsnd_str_eq(a->subject, b->subject) &&
           dsnd_str_eq(a->from, b->from) &&
           dsnd_str_eq(a->returned.message_id, b->returned.message_id) &&
           dsnd_str_eq(a->returned.to, b->returned.to);
}

enum dsnd_err again_compare(struct again *self)
{
    enum dsnd_err err = DSND_OK;

    totals_init(&self->span.totals, &self->span.arena);
    for (size_t i = 0; i < self->span.count && !err; i++) {
        struct again_item *item = &self->items[i];
        const struct write_item *w = &self->span.items[i];

        for (size_t s = 0; s < count_places(self, i) && !err; s++)
            err = compare_place(self, i, place_of(self, i, s));
        item->changes |= !item->fixed && !same_report(self, item, w);
    }
    return err;
}
