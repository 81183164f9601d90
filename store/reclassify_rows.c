#include <string.h>

#include "store/reclassify_span.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

struct report_row {
    int64_t id;
    int64_t campaign_id;
    int32_t recipients;
    int32_t recipients_dropped;
    int32_t warnings;
    int16_t kind;
    int16_t feedback;
    int16_t attribution;
    int16_t evidence;
    struct dsnd_str envelope_id;
    struct dsnd_str reporting_mta;
    struct dsnd_str arrival_date;
    struct dsnd_str message_id;
    struct dsnd_str subject;
    struct dsnd_str from;
    struct dsnd_str returned_message_id;
    struct dsnd_str returned_to;
    int64_t received_us;
    bool moved; /* to another campaign */
};

struct hit_row {
    int64_t campaign_id;
    int32_t day;
    struct dsnd_str rule;
    struct dsnd_str version;
};

/* What one record means for a suppression. */
struct meaning {
    bool counts; /* it may suppress, in `klass` */
    bool lifts;
    enum report_class klass;
    struct store_hash hash;
    bool is_ref;
};

struct address_row {
    struct dsnd_str hash;
    int64_t key;
    int64_t campaign_id; /* 0: of an address */
    struct dsnd_str ref;
};

struct change_row {
    int64_t status_id;
    struct dsnd_str hash;
    int64_t campaign_id;
    struct dsnd_str ref;
    int64_t us;
    int16_t action;
    int16_t klass;
    int16_t permanence;
    int16_t evidence;
    struct dsnd_str proven;
    struct dsnd_str provider;
    struct dsnd_str diagnostic;
    int16_t kind;
    int16_t feedback;
    int16_t fault;
};

/* Everything that is collected in one walk over the records that change. */
struct harvest {
    struct hit_row *hits_old;
    size_t hit_old_count;
    struct hit_row *hits_new;
    size_t hit_new_count;
    struct write_candidate *guard_old;
    size_t guard_old_count;
    struct write_candidate *guard_new;
    size_t guard_new_count;
    struct address_row *addresses;
    size_t address_count;
    struct change_row *changes;
    size_t change_count;
    int64_t *ids; /* rows of status to be dropped */
    size_t id_count;
};

/* ---- one record ---- */

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

static enum dsnd_err add_address(struct again *self, struct harvest *h, const struct meaning *m,
                                 int64_t campaign_id, const struct write_status *status)
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
static enum dsnd_err add_change(struct again *self, struct harvest *h, int64_t id,
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
    return m->counts || m->lifts ? keep_hash(self, &m->hash, &row->hash) : DSND_OK;
}

/* A record that changes: `old` NULL where there was none, `status` NULL where there is none. */
static enum dsnd_err harvest_one(struct again *self, struct harvest *h,
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

static enum dsnd_err make_room(struct again *self, struct harvest *h)
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

static enum dsnd_err gather(struct again *self, struct harvest *h)
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

/* ---- statements ---- */

static enum dsnd_err send(struct again *self, enum statement statement, size_t *sent)
{
    (*sent)++;
    return pg_send(self->span.conn, statement, &self->span.params);
}

static void add_bounds(struct again *self)
{
    pg_add_i64(&self->span.params, self->low);
    pg_add_i64(&self->span.params, self->high);
}

static enum dsnd_err send_statuses(struct again *self, const struct harvest *h, size_t *sent)
{
    struct pg_params *p = &self->span.params;
    enum dsnd_err err;

    pg_params_clear(p);
    pg_array_begin(p, PG_INT8);
    for (size_t i = 0; i < h->id_count; i++)
        pg_elem_i64(p, h->ids[i]);
    pg_array_end(p);
    add_bounds(self);
    err = send(self, STATEMENT_RECLASSIFY_STATUS_DROP, sent);
    (*sent)++;
    return err ? err : write_send_statuses(&self->span);
}

static struct report_row make_report(const struct again_item *item, const struct write_item *w)
{
    return (struct report_row){
        .id = item->id,
        .campaign_id = w->campaign_id,
        .recipients = (int32_t)w->report.recipient_count,
        .recipients_dropped = (int32_t)w->report.recipients_dropped,
        .warnings = (int32_t)w->report.warnings,
        .kind = (int16_t)w->report.kind,
        .feedback = (int16_t)w->report.feedback,
        .attribution = (int16_t)w->attribution,
        .evidence = write_best_evidence(w),
        .envelope_id = w->report.envelope_id,
        .reporting_mta = w->report.reporting_mta,
        .arrival_date = w->report.arrival_date,
        .message_id = w->report.message_id,
        .subject = w->report.subject,
        .from = w->report.from,
        .returned_message_id = w->report.returned.message_id,
        .returned_to = w->report.returned.to,
        .received_us = item->received_us,
        .moved = w->campaign_id != item->campaign_id,
    };
}

#define REPORT(member) offsetof(struct report_row, member)

/* In the order of RECLASSIFY_REPORT_SET. */
static const struct pg_column report_columns[] = {
    {PG_KIND_I64, REPORT(id)},
    {PG_KIND_I64, REPORT(campaign_id)},
    {PG_KIND_I32, REPORT(recipients)},
    {PG_KIND_I32, REPORT(recipients_dropped)},
    {PG_KIND_I32, REPORT(warnings)},
    {PG_KIND_I16, REPORT(kind)},
    {PG_KIND_I16, REPORT(feedback)},
    {PG_KIND_I16, REPORT(attribution)},
    {PG_KIND_I16, REPORT(evidence)},
    {PG_KIND_TEXT, REPORT(envelope_id)},
    {PG_KIND_TEXT, REPORT(reporting_mta)},
    {PG_KIND_TEXT, REPORT(arrival_date)},
    {PG_KIND_TEXT, REPORT(message_id)},
    {PG_KIND_TEXT, REPORT(subject)},
    {PG_KIND_TEXT, REPORT(from)},
    {PG_KIND_TEXT, REPORT(returned_message_id)},
    {PG_KIND_TEXT, REPORT(returned_to)},
};

static enum dsnd_err send_reports(struct again *self, size_t *sent)
{
    struct pg_params *p = &self->span.params;
    struct report_row *rows =
        dsnd_arena_array(&self->span.arena, self->span.count + 1, sizeof(*rows));
    size_t count = 0;
    enum dsnd_err err;

    if (!rows)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < self->span.count; i++)
        if (self->items[i].changes)
            rows[count++] = make_report(&self->items[i], &self->span.items[i]);
    pg_params_clear(p);
    pg_add_text(p, self->span.policy->rules_version);
    add_bounds(self);
    pg_add_rows(p, report_columns, COUNT(report_columns), rows, sizeof(*rows), count);
    err = send(self, STATEMENT_RECLASSIFY_REPORT_SET, sent);
    pg_params_clear(p);
    pg_add_rows(p, report_columns, 2, rows, sizeof(*rows), count);
    add_bounds(self);
    return err ? err : send(self, STATEMENT_RECLASSIFY_RAW_SET, sent);
}

static enum dsnd_err send_deliveries(struct again *self, size_t *sent)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, offsetof(struct delivery, campaign_id)},
        {PG_KIND_TEXT, offsetof(struct delivery, ref)},
    };
    enum dsnd_err err = pg_send(self->span.conn, STATEMENT_WRITE_TOTAL_LOCK, NULL);

    if (!err)
        err = write_send_deliveries(&self->span, true);

    if (!err)
        err = write_send_deliveries(&self->span, false);
    *sent += 3;
    pg_params_clear(&self->span.params);
    pg_add_rows(&self->span.params, columns, COUNT(columns), self->gone, sizeof(*self->gone),
                self->gone_count);
    return err ? err : send(self, STATEMENT_RECLASSIFY_DELIVERY_DROP, sent);
}

/* When the first and last report arrived of a campaign that reports have moved to. */
static enum dsnd_err send_times(struct again *self, size_t *sent)
{
    struct pg_params *p = &self->span.params;

    pg_params_clear(p);
    pg_array_begin(p, PG_INT8);
    for (size_t i = 0; i < self->span.count; i++)
        if (self->span.items[i].campaign_id != self->items[i].campaign_id)
            pg_elem_i64(p, self->span.items[i].campaign_id);
    pg_array_end(p);
    pg_array_begin(p, PG_TIMESTAMPTZ);
    for (size_t i = 0; i < self->span.count; i++)
        if (self->span.items[i].campaign_id != self->items[i].campaign_id)
            pg_elem_time(p, self->items[i].received_us);
    pg_array_end(p);
    return send(self, STATEMENT_WRITE_TOTAL_TIMES, sent);
}

static enum dsnd_err send_totals(struct again *self, size_t *sent)
{
    enum dsnd_err err = write_send_totals(&self->span);

    *sent += 3;
    return err ? err : send_times(self, sent);
}

static enum dsnd_err send_hits(struct again *self, const struct harvest *h, size_t *sent)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, offsetof(struct hit_row, campaign_id)},
        {PG_KIND_DAY, offsetof(struct hit_row, day)},
        {PG_KIND_TEXT, offsetof(struct hit_row, rule)},
        {PG_KIND_TEXT, offsetof(struct hit_row, version)},
    };
    struct pg_params *p = &self->span.params;
    enum dsnd_err err;

    pg_params_clear(p);
    pg_add_rows(p, columns, COUNT(columns), h->hits_old, sizeof(*h->hits_old), h->hit_old_count);
    err = send(self, STATEMENT_RECLASSIFY_HIT_TAKE, sent);
    if (!err)
        err = send(self, STATEMENT_RECLASSIFY_HIT_FORGET, sent);
    pg_params_clear(p);
    pg_add_text(p, self->span.policy->rules_version);
    pg_add_rows(p, columns, COUNT(columns) - 1, h->hits_new, sizeof(*h->hits_new),
                h->hit_new_count);
    return err ? err : send(self, STATEMENT_WRITE_RULE_HIT, sent);
}

static enum dsnd_err send_guard(struct again *self, const struct harvest *h, size_t *sent)
{
    struct pg_params *p = &self->span.params;
    enum dsnd_err err;

    pg_params_clear(p);
    write_add_candidates(p, h->guard_old, h->guard_old_count);
    err = send(self, STATEMENT_RECLASSIFY_GUARD_TAKE, sent);
    pg_params_clear(p);
    write_add_candidates(p, h->guard_new, h->guard_new_count);
    return err ? err : send(self, STATEMENT_WRITE_GUARD, sent);
}

static void add_addresses(struct again *self, const struct harvest *h)
{
    static const struct pg_column columns[] = {
        {PG_KIND_BYTEA, offsetof(struct address_row, hash)},
        {PG_KIND_I64, offsetof(struct address_row, key)},
        {PG_KIND_I64_OR_NULL, offsetof(struct address_row, campaign_id)},
        {PG_KIND_TEXT, offsetof(struct address_row, ref)},
    };

    pg_params_clear(&self->span.params);
    pg_add_rows(&self->span.params, columns, COUNT(columns), h->addresses, sizeof(*h->addresses),
                h->address_count);
}

static enum dsnd_err send_move(struct again *self, int64_t run, size_t *sent)
{
    struct pg_params *p = &self->span.params;
    size_t statuses = 0;

    for (size_t i = 0; i < self->span.count; i++)
        statuses += self->items[i].old_count;
    pg_params_clear(p);
    pg_add_i64(p, run);
    pg_add_i64(p, self->last);
    pg_add_i64(p, (int64_t)self->span.count);
    pg_add_i64(p, (int64_t)statuses);
    pg_add_i64(p, (int64_t)self->changed);
    return send(self, STATEMENT_RECLASSIFY_MOVE, sent);
}

/* In the order of locks. */
static enum dsnd_err send_all(struct again *self, const struct harvest *h, int64_t run,
                              size_t *sent)
{
    enum dsnd_err err = send_statuses(self, h, sent);

    if (!err)
        err = send_reports(self, sent);
    if (!err)
        err = send_deliveries(self, sent);
    if (!err)
        err = send_totals(self, sent);
    if (!err)
        err = send_hits(self, h, sent);
    if (!err)
        err = send_guard(self, h, sent);
    add_addresses(self, h);
    if (!err)
        err = send(self, STATEMENT_RECLASSIFY_ADDRESS_ADD, sent);
    if (!err)
        err = send_move(self, run, sent);
    pg_params_clear(&self->span.params);
    if (!err)
        err = send(self, STATEMENT_COMMIT, sent);
    return err ? err : pg_sync(self->span.conn);
}

enum dsnd_err again_rows(struct again *self, int64_t run)
{
    struct harvest harvest = {0};
    size_t sent = 0;
    enum dsnd_err err = gather(self, &harvest);

    if (!err)
        err = pg_pipeline_begin(self->span.conn);
    if (err)
        return err;
    err = send_all(self, &harvest, run, &sent);
    for (size_t i = 0; i < sent && !err; i++)
        err = pg_next(self->span.conn, NULL);
    if (!err)
        err = pg_next_sync(self->span.conn);
    pg_pipeline_end(self->span.conn);
    return err;
}

enum dsnd_err again_keep(struct again *self)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, offsetof(struct change_row, status_id)},
        {PG_KIND_BYTEA, offsetof(struct change_row, hash)},
        {PG_KIND_I64, offsetof(struct change_row, campaign_id)},
        {PG_KIND_TEXT, offsetof(struct change_row, ref)},
        {PG_KIND_TIME, offsetof(struct change_row, us)},
        {PG_KIND_I16, offsetof(struct change_row, action)},
        {PG_KIND_I16, offsetof(struct change_row, klass)},
        {PG_KIND_I16, offsetof(struct change_row, permanence)},
        {PG_KIND_I16, offsetof(struct change_row, evidence)},
        {PG_KIND_TEXT, offsetof(struct change_row, proven)},
        {PG_KIND_TEXT, offsetof(struct change_row, provider)},
        {PG_KIND_TEXT, offsetof(struct change_row, diagnostic)},
        {PG_KIND_I16, offsetof(struct change_row, kind)},
        {PG_KIND_I16, offsetof(struct change_row, feedback)},
        {PG_KIND_I16, offsetof(struct change_row, fault)},
    };
    struct harvest h = {0};
    struct pg_params *p = &self->span.params;
    enum dsnd_err err = gather(self, &h);

    if (err)
        return err;
    add_addresses(self, &h);
    err = pg_run(self->span.conn, STATEMENT_RECLASSIFY_ADDRESS_ADD, p, NULL);
    pg_params_clear(p);
    pg_add_rows(p, columns, COUNT(columns), h.changes, sizeof(*h.changes), h.change_count);
    return err ? err : pg_run(self->span.conn, STATEMENT_RECLASSIFY_CHANGE_ADD, p, NULL);
}
