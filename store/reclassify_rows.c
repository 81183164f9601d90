#include "store/reclassify_harvest.h"

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

static enum dsnd_err send_statuses(struct again *self, const struct again_harvest *h, size_t *sent)
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

static enum dsnd_err send_hits(struct again *self, const struct again_harvest *h, size_t *sent)
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

static enum dsnd_err send_guard(struct again *self, const struct again_harvest *h, size_t *sent)
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

static void add_addresses(struct again *self, const struct again_harvest *h)
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
static enum dsnd_err send_all(struct again *self, const struct again_harvest *h, int64_t run,
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
    struct again_harvest harvest = {0};
    size_t sent = 0;
    enum dsnd_err err = again_harvest(self, &harvest);

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
        {PG_KIND_I16, offsetof(struct change_row, cause)},
    };
    struct again_harvest h = {0};
    struct pg_params *p = &self->span.params;
    enum dsnd_err err = again_harvest(self, &h);

    if (err)
        return err;
    add_addresses(self, &h);
    err = pg_run(self->span.conn, STATEMENT_RECLASSIFY_ADDRESS_ADD, p, NULL);
    pg_params_clear(p);
    pg_add_rows(p, columns, COUNT(columns), h.changes, sizeof(*h.changes), h.change_count);
    return err ? err : pg_run(self->span.conn, STATEMENT_RECLASSIFY_CHANGE_ADD, p, NULL);
}
