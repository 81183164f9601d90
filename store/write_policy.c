/*
 * Suppressions that follow at once from class and evidence. Which classes those are stands in the
 * table suppression_policy; here only what may count at all: an address that is proven, or the ref
 * alone where the signature proves no address.
 */
#include <stdlib.h>
#include <string.h>

#include "store/write_span.h"

struct candidate {
    struct store_hash hash;
    struct dsnd_str hash_octets;
    struct dsnd_str address; /* absent for a ref */
    int64_t campaign_id;
    struct dsnd_str ref; /* absent for an address */
    int16_t klass;
    int16_t evidence;
    int64_t status_id;
};

static bool counts(const struct write_status *s, enum report_class *ret_class)
{
    const struct report_recipient *r = s->recipient;

    if (!s->moves || s->evidence == STORE_EVIDENCE_NONE)
        return false;
    *ret_class = s->event.complaint ? REPORT_CLASS_COMPLAINT : r->klass;
    if (s->event.complaint)
        return true;
    return s->event.state == STORE_STATE_FAILED && r->permanence == REPORT_PERMANENCE_PERMANENT;
}

/* "campaign key/ref": no address, for it holds no '@'. */
static enum dsnd_err hash_ref(const struct write_item *w, const struct write_status *s,
                              struct store_hash *ret_hash)
{
    struct dsnd_str parts[] = {dsnd_str_of(w->path->campaign), DSND_STR("/"), s->ref};

    return store_hash_of(parts, 3, ret_hash);
}

static enum dsnd_err make_candidate(const struct write_item *w, const struct write_status *s,
                                    enum report_class klass, struct candidate *c)
{
    bool ref_only = s->evidence == STORE_EVIDENCE_SIGNED_REF;

    *c = (struct candidate){
        .address = s->proven,
        .campaign_id = w->campaign_id,
        .ref = ref_only ? s->ref : DSND_STR_ABSENT,
        .klass = (int16_t)klass,
        .evidence = (int16_t)s->evidence,
        .status_id = s->id,
    };
    return ref_only ? hash_ref(w, s, &c->hash) : store_address_hash(s->proven, &c->hash);
}

static int compare_candidates(const void *left, const void *right)
{
    const struct candidate *a = left;
    const struct candidate *b = right;
    int d = memcmp(a->hash.octets, b->hash.octets, sizeof(a->hash.octets));

    return d ? d : a->status_id < b->status_id ? -1 : a->status_id > b->status_id;
}

static enum dsnd_err collect(struct write_span *self, struct candidate *list, size_t *ret_count)
{
    enum report_class klass;
    enum dsnd_err err = DSND_OK;
    size_t count = 0;

    for (size_t i = 0; i < self->count; i++) {
        const struct write_item *w = &self->items[i];

        for (size_t s = 0; w->fate == WRITE_FATE_STORED && s < w->status_count && !err; s++) {
            const struct write_status *status = &w->statuses[s];
            bool named =
                dsnd_str_present(status->proven) || status->evidence == STORE_EVIDENCE_SIGNED_REF;

            if (named && counts(status, &klass))
                err = make_candidate(w, status, klass, &list[count++]);
        }
    }
    *ret_count = count;
    return err;
}

enum dsnd_err write_send_suppressions(struct write_span *self, size_t *ret_sent)
{
    static const struct pg_column columns[] = {
        {PG_KIND_BYTEA, offsetof(struct candidate, hash_octets)},
        {PG_KIND_TEXT, offsetof(struct candidate, address)},
        {PG_KIND_I64, offsetof(struct candidate, campaign_id)},
        {PG_KIND_TEXT, offsetof(struct candidate, ref)},
        {PG_KIND_I16, offsetof(struct candidate, klass)},
        {PG_KIND_I16, offsetof(struct candidate, evidence)},
        {PG_KIND_I64, offsetof(struct candidate, status_id)},
    };
    struct candidate *list = dsnd_arena_array(&self->arena, self->status_count + 1, sizeof(*list));
    size_t count = 0;
    enum dsnd_err err = list ? collect(self, list, &count) : DSND_ERR_NOMEM;

    if (err || !count)
        return err;
    qsort(list, count, sizeof(*list), compare_candidates);
    for (size_t i = 0; i < count; i++)
        list[i].hash_octets =
            dsnd_str_make((const char *)list[i].hash.octets, sizeof(list[i].hash.octets));
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), list, sizeof(*list),
                count);
    (*ret_sent)++;
    return pg_send(self->conn, STATEMENT_WRITE_SUPPRESSION, &self->params);
}
