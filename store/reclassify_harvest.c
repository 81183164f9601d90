#include "store/reclassify_harvest.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* What one record means for a suppression. */
struct meaning {
    bool counts; /* it may suppress, in `klass` */
    bool lifts;
    enum report_class klass;
    struct store_hash hash;
    bool is_ref;
};

static struct dsnd_str key_of(const struct again_item *item, const struct write_item *w)
{
    return w && w->path ? dsnd_str_of(w->path->campaign) : item->campaign_key;
}

static enum dsnd_err hash_of(struct dsnd_str campaign, const struct write_status *status,
                             struct store_hash *ret_hash)
{
    struct dsnd_str parts[] = {campaign, DSND_STR("/"), status->ref};

    return status->evidence == STORE_EVIDENCE_SIGNED_REF
               ? store_hash_of(parts, COUNT(parts), ret_hash)
               : store_address_hash(status->proven, ret_hash);
}

static enum dsnd_err mean(struct dsnd_str campaign, const struct write_status *status,
                          struct meaning *ret_meaning)
{
    *ret_meaning = (struct meaning){.is_ref = status->evidence == STORE_EVIDENCE_SIGNED_REF};
    if (!dsnd_str_present(status->proven) && !ret_meaning->is_ref)
        return DSND_OK;
    ret_meaning->counts = write_counts(status, &ret_meaning->klass);
    ret_meaning->lifts = !ret_meaning->counts && write_confirms(status);
    return hash_of(campaign, status, &ret_meaning->hash);
}

static bool same_meaning(const struct meaning *a, const struct meaning *b)
{
    return a->counts == b->counts && a->lifts == b->lifts &&
           ((!a->counts && !a->lifts) ||
            (a->klass == b->klass &&
             memcmp(a->hash.octets, b->hash.octets, sizeof(a->hash.octets)) == 0));
}

static enum dsnd_err keep_hash(struct again *self, const struct store_hash *hash,
                               struct dsnd_str *ret_octets)
{
    return dsnd_arena_copy(&self->span.arena,
                           dsnd_str_make((const char *)hash->octets, sizeof(hash->octets)),
                           ret_octets);
}

static enum dsnd_err add_address(struct again *self, struct again_harvest *h,
                                 const struct meaning *m, int64_t campaign_id,
                                 const struct write_status *status)
{
    struct address_row *row = &h->addresses[h->address_count];

    if (!m->counts && !m->lifts)
        return DSND_OK;
    h->address_count++;
    *row = (struct address_row){.key = m->is_ref ? 0 : store_hash_key(&m->hash),
                                .campaign_id = m->is_ref ? campaign_id : 0,
                                .ref = m->is_ref ? status->ref : DSND_STR_ABSENT};
    return keep_hash(self, &m->hash, &row->hash);
}

static enum dsnd_err add_guard(struct again *self, const struct meaning *m, int64_t campaign_id,
                               const struct write_status *status, struct write_candidate *list,
                               size_t *count)
{
    struct write_candidate c = {
        .campaign_id = campaign_id, .us = status->event.us, .provider = status->event.provider};
    enum dsnd_err err;

    if (!m->counts)
        return DSND_OK;
    err = write_guarded_text(&self->span.arena, m->klass, status->recipient->diagnostic,
                             &c.signature);
    if (!err && dsnd_str_present(c.signature))
        list[(*count)++] = c;
    return err;
}

static void add_hit(struct hit_row *list, size_t *count, int64_t campaign_id, int64_t us,
                    const struct write_status *status, struct dsnd_str version)
{
    if (dsnd_str_present(status->recipient->rule))
        list[(*count)++] =
            (struct hit_row){campaign_id, write_day(us), status->recipient->rule, version};
}

/* What a dry run would leave; without `status` nothing. */
static enum dsnd_err add_change(struct again *self, struct again_harvest *h, int64_t id,
                                const struct write_item *w, const struct write_status *status,
                                const struct meaning *m)
{
    struct change_row *row = &h->changes[h->change_count++];

    *row =
        (struct change_row){.status_id = id, .us = w->item.received_us, .provider = DSND_STR("")};
    if (!status)
        return DSND_OK;
    row->campaign_id = w->campaign_id;
    row->ref = status->ref;
    row->action = (int16_t)status->recipient->action;
    row->klass = (int16_t)status->recipient->klass;
    row->permanence = (int16_t)status->recipient->permanence;
    row->evidence = (int16_t)status->evidence;
    row->proven = status->proven;
    if (dsnd_str_present(status->recipient->provider))
        row->provider = status->recipient->provider;
    row->diagnostic = status->recipient->diagnostic;
    row->kind = (int16_t)w->report.kind;
    row->feedback = (int16_t)w->report.feedback;
    row->fault = (int16_t)status->recipient->fault;
    row->cause = (int16_t)status->recipient->cause;
    return m->counts || m->lifts ? keep_hash(self, &m->hash, &row->hash) : DSND_OK;
}

/* A record that changes: `old` NULL where there was none, `status` NULL where there is none. */
static enum dsnd_err harvest_one(struct again *self, struct again_harvest *h,
                                 const struct again_item *item, const struct write_item *w,
                                 const struct again_old *old, const struct write_status *status)
{
    struct meaning before = {0};
    struct meaning after = {0};
    enum dsnd_err err = old ? mean(item->campaign_key, &old->status, &before) : DSND_OK;

    if (!err && status)
        err = mean(key_of(item, w), status, &after);
    if (!err && old) {
        h->ids[h->id_count++] = old->status.id;
        add_hit(h->hits_old, &h->hit_old_count, old->campaign_id, item->received_us, &old->status,
                old->rules_version);
        err = add_guard(self, &before, old->campaign_id, &old->status, h->guard_old,
                        &h->guard_old_count);
    }
    if (!err && status) {
        add_hit(h->hits_new, &h->hit_new_count, w->campaign_id, item->received_us, status,
                self->span.policy->rules_version);
        err = add_guard(self, &after, w->campaign_id, status, h->guard_new, &h->guard_new_count);
    }
    if (!err)
        err = add_change(self, h, old ? old->status.id : status->id, w, status, &after);
    if (err || same_meaning(&before, &after))
        return err;
    if (old)
        err = add_address(self, h, &before, old->campaign_id, &old->status);
    return err || !status ? err : add_address(self, h, &after, w->campaign_id, status);
}

static enum dsnd_err make_room(struct again *self, struct again_harvest *h)
{
    struct dsnd_arena *arena = &self->span.arena;
    size_t n = self->written + 1;

    h->hits_old = dsnd_arena_array(arena, n, sizeof(*h->hits_old));
    h->hits_new = dsnd_arena_array(arena, n, sizeof(*h->hits_new));
    h->guard_old = dsnd_arena_array(arena, n, sizeof(*h->guard_old));
    h->guard_new = dsnd_arena_array(arena, n, sizeof(*h->guard_new));
    h->addresses = dsnd_arena_array(arena, 2 * n, sizeof(*h->addresses));
    h->changes = dsnd_arena_array(arena, n, sizeof(*h->changes));
    h->ids = dsnd_arena_array(arena, n, sizeof(*h->ids));
    return h->hits_old && h->hits_new && h->guard_old && h->guard_new && h->addresses &&
                   h->changes && h->ids
               ? DSND_OK
               : DSND_ERR_NOMEM;
}

enum dsnd_err again_harvest(struct again *self, struct again_harvest *h)
{
    enum dsnd_err err = make_room(self, h);

    for (size_t i = 0; i < self->span.count && !err; i++) {
        const struct again_item *item = &self->items[i];
        const struct write_item *w = &self->span.items[i];
        size_t places = item->old_count > w->status_count ? item->old_count : w->status_count;

        for (size_t s = 0; s < places && !err; s++) {
            const struct again_old *old = s < item->old_count ? &item->olds[s] : NULL;
            const struct write_status *status = s < w->status_count ? &w->statuses[s] : NULL;

            if (old ? old->changes : status && !status->is_written)
                err = harvest_one(self, h, item, w, old, status);
        }
    }
    return err;
}
