/*
 * Suppressions that follow from class and evidence, at once or after several failures, and those
 * that a confirmed delivery lifts. After how many stands in the table suppression_policy; here only
 * what may count at all: an address that is proven, or the ref alone where the signature proves no
 * address.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/signature.h"
#include "store/write_span.h"

/* What was received so long ago is stored late: something later may be there already. */
enum { LATE_S = 10 };

/* Failures that may suppress, and confirmed deliveries that may lift. */
struct verdicts {
    struct write_candidate *failed;
    size_t failed_count;
    struct write_candidate *confirmed;
    size_t confirmed_count;
};

bool write_counts(const struct write_status *s, enum report_class *ret_class)
{
    if (!s->moves || s->evidence == STORE_EVIDENCE_NONE)
        return false;
    *ret_class =
        s->event.complaint ? REPORT_CLASS_COMPLAINT : delivery_suppressing_class(s->recipient);
    return s->event.complaint ||
           (s->event.state == STORE_STATE_FAILED && *ret_class != REPORT_CLASS_NONE);
}

/* "campaign key/ref": no address, for it holds no '@'. */
static enum dsnd_err hash_ref(const struct write_item *w, const struct write_status *s,
                              struct store_hash *ret_hash)
{
    struct dsnd_str parts[] = {dsnd_str_of(w->path->campaign), DSND_STR("/"), s->ref};

    return store_hash_of(parts, 3, ret_hash);
}

enum dsnd_err write_guarded_text(struct dsnd_arena *arena, enum report_class klass,
                                 struct dsnd_str diagnostic, struct dsnd_str *ret_signature)
{
    *ret_signature = DSND_STR_ABSENT;
    /* Only an outage makes many addresses unknown at once. */
    if (klass != REPORT_CLASS_MAILBOX_UNKNOWN || !diagnostic.len)
        return DSND_OK;
    return store_text_signature(arena, diagnostic, ret_signature);
}

static enum dsnd_err make_candidate(struct write_span *self, const struct write_item *w,
                                    const struct write_status *s, enum report_class klass,
                                    struct write_candidate *c)
{
    enum dsnd_err err;
    bool ref_only = s->evidence == STORE_EVIDENCE_SIGNED_REF;

    *c = (struct write_candidate){
        .address = s->proven,
        .campaign_id = w->campaign_id,
        .ref = ref_only ? s->ref : DSND_STR_ABSENT,
        .klass = (int16_t)klass,
        .evidence = (int16_t)s->evidence,
        .status_id = s->id,
        .delivery = s->ref,
        .us = w->item.received_us,
        .provider = s->event.provider,
    };
    err = write_guarded_text(&self->arena, klass, s->recipient->diagnostic, &c->signature);
    if (err)
        return err;
    return ref_only ? hash_ref(w, s, &c->hash) : store_address_hash(s->proven, &c->hash);
}

static int compare_candidates(const void *left, const void *right)
{
    const struct write_candidate *a = left;
    const struct write_candidate *b = right;
    int d = memcmp(a->hash.octets, b->hash.octets, sizeof(a->hash.octets));

    return d ? d : a->status_id < b->status_id ? -1 : a->status_id > b->status_id;
}

bool write_confirms(const struct write_status *s)
{
    return s->moves && s->evidence != STORE_EVIDENCE_NONE &&
           s->event.state == STORE_STATE_DELIVERED;
}

static enum dsnd_err sort_status(struct write_span *self, const struct write_item *w,
                                 const struct write_status *s, struct verdicts *verdicts)
{
    enum report_class klass = REPORT_CLASS_NONE;

    if (!dsnd_str_present(s->proven) && s->evidence != STORE_EVIDENCE_SIGNED_REF)
        return DSND_OK;
    if (write_counts(s, &klass))
        return make_candidate(self, w, s, klass, &verdicts->failed[verdicts->failed_count++]);
    if (write_confirms(s))
        return make_candidate(self, w, s, klass, &verdicts->confirmed[verdicts->confirmed_count++]);
    return DSND_OK;
}

static void order(struct write_candidate *list, size_t count)
{
    qsort(list, count, sizeof(*list), compare_candidates);
    for (size_t i = 0; i < count; i++)
        list[i].hash_octets =
            dsnd_str_make((const char *)list[i].hash.octets, sizeof(list[i].hash.octets));
}

static enum dsnd_err collect(struct write_span *self, struct verdicts *v)
{
    size_t size = self->status_count + 1;
    enum dsnd_err err;

    v->failed = dsnd_arena_array(&self->arena, size, sizeof(*v->failed));
    v->confirmed = dsnd_arena_array(&self->arena, size, sizeof(*v->confirmed));
    err = v->failed && v->confirmed ? DSND_OK : DSND_ERR_NOMEM;

    for (size_t i = 0; i < self->count && !err; i++) {
        const struct write_item *w = &self->items[i];

        for (size_t s = 0; w->fate == WRITE_FATE_STORED && s < w->status_count && !err; s++)
            err = sort_status(self, w, &w->statuses[s], v);
    }
    if (err)
        return err;
    order(v->failed, v->failed_count);
    order(v->confirmed, v->confirmed_count);
    return DSND_OK;
}

/* Stored late: a later delivery was confirmed before, or somebody lifted the entry. */
static enum dsnd_err find_overruled(struct write_span *self, struct verdicts *v)
{
    static const struct pg_column columns[] = {
        {PG_KIND_BYTEA, offsetof(struct write_candidate, hash_octets)},
        {PG_KIND_I64, offsetof(struct write_candidate, key)},
        {PG_KIND_I64, offsetof(struct write_candidate, campaign_id)},
        {PG_KIND_TEXT, offsetof(struct write_candidate, ref)},
        {PG_KIND_I16, offsetof(struct write_candidate, klass)},
        {PG_KIND_TIME, offsetof(struct write_candidate, us)},
    };
    int64_t first_us = INT64_MAX;
    PGresult *rows = NULL;
    enum dsnd_err err;

    for (size_t i = 0; i < v->failed_count; i++) {
        v->failed[i].key = store_hash_key(&v->failed[i].hash);
        first_us = v->failed[i].us < first_us ? v->failed[i].us : first_us;
    }
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), v->failed,
                sizeof(*v->failed), v->failed_count);
    pg_add_i64(&self->params, write_record_id(first_us, 0));
    err = pg_run(self->conn, STATEMENT_WRITE_OVERRULED, &self->params, &rows);
    for (int i = 0; !err && i < PQntuples(rows); i++)
        v->failed[pg_i64(rows, i, 0) - 1].overruled = true;
    PQclear(rows);
    return err;
}

/* What is stored as it comes can be older than nothing but what another pipeline stored just now.
 */
static bool is_late(const struct verdicts *v)
{
    int64_t late_us = dsnd_clock_now_us() - LATE_S * DSND_US_PER_S;
    bool late = false;

    for (size_t i = 0; i < v->failed_count; i++)
        late |= v->failed[i].us < late_us;
    return late;
}

enum dsnd_err write_judge(struct write_span *self)
{
    struct verdicts *v = dsnd_arena_alloc(&self->arena, sizeof(*v));
    enum dsnd_err err = v ? DSND_OK : DSND_ERR_NOMEM;

    if (err)
        return err;
    *v = (struct verdicts){0};
    self->verdicts = v;
    err = collect(self, v);
    return err || !is_late(v) ? err : find_overruled(self, v);
}

/* Statements over the same parameters: what one wrote, the next counts. */
static enum dsnd_err send_list(struct write_span *self, const enum statement *list, size_t count,
                               size_t *ret_sent)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < count && !err; i++)
        err = pg_send(self->conn, list[i], &self->params);
    *ret_sent += count;
    return err;
}

void write_add_candidates(struct pg_params *params, const struct write_candidate *list,
                          size_t count)
{
    static const struct pg_column columns[] = {
        {PG_KIND_BYTEA, offsetof(struct write_candidate, hash_octets)},
        {PG_KIND_TEXT, offsetof(struct write_candidate, address)},
        {PG_KIND_I64, offsetof(struct write_candidate, campaign_id)},
        {PG_KIND_TEXT, offsetof(struct write_candidate, ref)},
        {PG_KIND_I16, offsetof(struct write_candidate, klass)},
        {PG_KIND_I16, offsetof(struct write_candidate, evidence)},
        {PG_KIND_I64, offsetof(struct write_candidate, status_id)},
        {PG_KIND_TEXT, offsetof(struct write_candidate, delivery)},
        {PG_KIND_TIME, offsetof(struct write_candidate, us)},
        {PG_KIND_TEXT, offsetof(struct write_candidate, provider)},
        {PG_KIND_TEXT, offsetof(struct write_candidate, signature)},
    };

    pg_add_rows(params, columns, sizeof(columns) / sizeof(*columns), list, sizeof(*list), count);
}

/* Those that nothing overrules are left. */
static void drop_overruled(struct verdicts *v)
{
    size_t kept = 0;

    for (size_t i = 0; i < v->failed_count; i++)
        if (!v->failed[i].overruled)
            v->failed[kept++] = v->failed[i];
    v->failed_count = kept;
    order(v->failed, kept); /* the hashes have moved */
}

static enum dsnd_err send_failed(struct write_span *self, struct verdicts *v, size_t *ret_sent)
{
    static const enum statement list[] = {STATEMENT_WRITE_GUARD,
                                          STATEMENT_WRITE_STRIKE,
                                          STATEMENT_WRITE_SUPPRESSION_EXPIRE,
                                          STATEMENT_WRITE_SUPPRESSION_KEEP,
                                          STATEMENT_WRITE_SUPPRESSION,
                                          STATEMENT_WRITE_SUPPRESSION_WAIT};
    enum dsnd_err err;

    pg_params_clear(&self->params);
    write_add_candidates(&self->params, v->failed, v->failed_count);
    err = send_list(self, list, 1, ret_sent);
    drop_overruled(v);
    if (err || !v->failed_count)
        return err;
    pg_params_clear(&self->params);
    write_add_candidates(&self->params, v->failed, v->failed_count);
    return send_list(self, list + 1, sizeof(list) / sizeof(*list) - 1, ret_sent);
}

static enum dsnd_err send_confirmed(struct write_span *self, const struct verdicts *v,
                                    size_t *ret_sent)
{
    static const enum statement list[] = {STATEMENT_WRITE_STRIKE_LIFT,
                                          STATEMENT_WRITE_SUPPRESSION_LIFT};
    static const struct pg_column columns[] = {
        {PG_KIND_BYTEA, offsetof(struct write_candidate, hash_octets)},
        {PG_KIND_TIME, offsetof(struct write_candidate, us)},
    };

    pg_params_clear(&self->params);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), v->confirmed,
                sizeof(*v->confirmed), v->confirmed_count);
    return send_list(self, list, sizeof(list) / sizeof(*list), ret_sent);
}

enum dsnd_err write_send_suppressions(struct write_span *self, size_t *ret_sent)
{
    struct verdicts *v = self->verdicts;
    enum dsnd_err err = DSND_OK;

    if (v->failed_count)
        err = send_failed(self, v, ret_sent);
    if (!err && v->confirmed_count)
        err = send_confirmed(self, v, ret_sent);
    return err;
}
