#include <stdlib.h>

#include "store/text.h"
#include "store/write_span.h"

struct report_row {
    int64_t id;
    int64_t campaign_id;
    int64_t received_us;
    int64_t sequence;
    struct dsnd_str content_hash;
    int32_t octets;
    int32_t recipients;
    int32_t recipients_dropped;
    int32_t warnings;
    int16_t kind;
    int16_t feedback;
    int16_t attribution;
    int16_t evidence;
    int16_t source;
    bool tls;
    struct dsnd_str peer;
    struct dsnd_str helo;
    struct dsnd_str mail_from;
    struct dsnd_str envelope_to;         /* a line a recipient */
    struct dsnd_str envelope_parameters; /* a line for MAIL, then one a recipient */
    struct dsnd_str smtp_envelope_id;
    struct dsnd_str envelope_id;
    struct dsnd_str reporting_mta;
    struct dsnd_str arrival_date;
    struct dsnd_str message_id;
    struct dsnd_str subject;
    struct dsnd_str from;
    struct dsnd_str returned_message_id;
    struct dsnd_str returned_to;
};

#define AT(member) offsetof(struct report_row, member)

/* In the order of WRITE_REPORT. */
static const struct pg_column report_columns[] = {
    {PG_KIND_I64, AT(id)},
    {PG_KIND_I64, AT(campaign_id)},
    {PG_KIND_TIME, AT(received_us)},
    {PG_KIND_I64, AT(sequence)},
    {PG_KIND_UUID, AT(content_hash)},
    {PG_KIND_I32, AT(octets)},
    {PG_KIND_I32, AT(recipients)},
    {PG_KIND_I32, AT(recipients_dropped)},
    {PG_KIND_I32, AT(warnings)},
    {PG_KIND_I16, AT(kind)},
    {PG_KIND_I16, AT(feedback)},
    {PG_KIND_I16, AT(attribution)},
    {PG_KIND_I16, AT(evidence)},
    {PG_KIND_I16, AT(source)},
    {PG_KIND_BOOL, AT(tls)},
    {PG_KIND_TEXT, AT(peer)},
    {PG_KIND_TEXT, AT(helo)},
    {PG_KIND_TEXT, AT(mail_from)},
    {PG_KIND_TEXT, AT(envelope_to)},
    {PG_KIND_TEXT, AT(envelope_parameters)},
    {PG_KIND_TEXT, AT(smtp_envelope_id)},
    {PG_KIND_TEXT, AT(envelope_id)},
    {PG_KIND_TEXT, AT(reporting_mta)},
    {PG_KIND_TEXT, AT(arrival_date)},
    {PG_KIND_TEXT, AT(message_id)},
    {PG_KIND_TEXT, AT(subject)},
    {PG_KIND_TEXT, AT(from)},
    {PG_KIND_TEXT, AT(returned_message_id)},
    {PG_KIND_TEXT, AT(returned_to)},
};

#define DELIVERY(member) offsetof(struct delivery_row, member)

struct delivery_row {
    struct delivery d;
    int16_t state;
    int16_t klass;
    int16_t kind;
    int16_t delayed_class;
};

/* In the order of WRITE_DELIVERY_ADD and WRITE_DELIVERY_SET. */
static const struct pg_column delivery_columns[] = {
    {PG_KIND_I64, DELIVERY(d.campaign_id)},
    {PG_KIND_TEXT, DELIVERY(d.ref)},
    {PG_KIND_I16, DELIVERY(state)},
    {PG_KIND_I16, DELIVERY(klass)},
    {PG_KIND_I16, DELIVERY(kind)},
    {PG_KIND_TEXT, DELIVERY(d.provider)},
    {PG_KIND_TIME, DELIVERY(d.outcome_us)},
    {PG_KIND_I64, DELIVERY(d.status_id)},
    {PG_KIND_TIME_OR_NULL, DELIVERY(d.delayed_us)},
    {PG_KIND_I16, DELIVERY(delayed_class)},
    {PG_KIND_TEXT, DELIVERY(d.delayed_provider)},
    {PG_KIND_TIME_OR_NULL, DELIVERY(d.delay_expired_us)},
    {PG_KIND_TIME_OR_NULL, DELIVERY(d.complained_us)},
    {PG_KIND_TEXT, DELIVERY(d.complained_provider)},
    {PG_KIND_TIME_OR_NULL, DELIVERY(d.sent_us)},
};

#define TOTAL(member) offsetof(struct total_row, member)

/* In the order of WRITE_TOTAL_HOUR. The coarser tables leave the hour, then provider and class. */
static const struct pg_column total_columns[] = {
    {PG_KIND_I64, TOTAL(campaign_id)},
    {PG_KIND_TIME, TOTAL(hour_us)},
    {PG_KIND_TEXT, TOTAL(provider)},
    {PG_KIND_I16, TOTAL(klass)},
    {PG_KIND_I64, TOTAL(counts[TOTAL_FAILED])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_HARD])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_SOFT])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_BLOCK])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_DELIVERED])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_HANDED_OFF])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_DELAY_OPEN])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_DELAYED])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_COMPLAINED])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_STATUSES])},
    {PG_KIND_I64, TOTAL(counts[TOTAL_PROVEN])},
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static enum dsnd_err make_report_row(struct write_span *self, const struct write_item *w,
                                     struct report_row *row)
{
    enum dsnd_err err = DSND_OK;

    *row = (struct report_row){
        .id = w->id,
        .campaign_id = w->campaign_id,
        .received_us = w->item.received_us,
        .sequence = (int64_t)w->item.sequence,
        .content_hash = dsnd_str_make((const char *)w->hash.octets, 16),
        .octets = (int32_t)w->item.octets.len,
        .recipients = (int32_t)w->report.recipient_count,
        .recipients_dropped = (int32_t)w->report.recipients_dropped,
        .warnings = (int32_t)w->report.warnings,
        .kind = (int16_t)w->report.kind,
        .feedback = (int16_t)w->report.feedback,
        .attribution = (int16_t)w->attribution,
        .evidence = write_best_evidence(w),
        .source = (int16_t)w->item.source,
        .tls = w->item.tls,
        .peer = w->item.peer,
        .helo = w->item.helo,
        .mail_from = w->item.mail_from,
        .smtp_envelope_id = w->item.envelope_id,
        .envelope_id = w->report.envelope_id,
        .reporting_mta = w->report.reporting_mta,
        .arrival_date = w->report.arrival_date,
        .message_id = w->report.message_id,
        .subject = w->report.subject,
        .from = w->report.from,
        .returned_message_id = w->report.returned.message_id,
        .returned_to = w->report.returned.to,
    };
    if (w->item.envelope_parameters)
        err = store_text_lines(&self->arena, w->item.envelope_parameters,
                               w->item.envelope_to_count + 1, &row->envelope_parameters);
    return err ? err
               : store_text_lines(&self->arena, w->item.envelope_to, w->item.envelope_to_count,
                                  &row->envelope_to);
}

static enum dsnd_err send_reports(struct write_span *self)
{
    struct report_row *rows = dsnd_arena_array(&self->arena, self->count, sizeof(*rows));
    enum dsnd_err err = rows ? DSND_OK : DSND_ERR_NOMEM;
    size_t count = 0;

    for (size_t i = 0; i < self->count && !err; i++)
        if (self->items[i].fate == WRITE_FATE_STORED)
            err = make_report_row(self, &self->items[i], &rows[count++]);
    if (err)
        return err;
    pg_params_clear(&self->params);
    pg_add_i64(&self->params, self->journal_id);
    pg_add_text(&self->params, self->policy->rules_version);
    pg_add_rows(&self->params, report_columns, COUNT(report_columns), rows, sizeof(*rows), count);
    return pg_send(self->conn, STATEMENT_WRITE_REPORT, &self->params);
}

enum dsnd_err write_send_deliveries(struct write_span *self, bool existing)
{
    struct delivery_row *rows =
        dsnd_arena_array(&self->arena, self->delivery_count + 1, sizeof(*rows));
    size_t count = 0;

    if (!rows)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < self->delivery_count; i++) {
        const struct delivery *d = &self->deliveries[i];

        if (!d->changed || d->exists != existing)
            continue;
        rows[count++] = (struct delivery_row){
            .d = *d,
            .state = (int16_t)d->state,
            .klass = (int16_t)d->klass,
            .kind = (int16_t)d->kind,
            .delayed_class = (int16_t)d->delayed_class,
        };
    }
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, delivery_columns, COUNT(delivery_columns), rows, sizeof(*rows),
                count);
    return pg_send(self->conn,
                   existing ? STATEMENT_WRITE_DELIVERY_SET : STATEMENT_WRITE_DELIVERY_ADD,
                   &self->params);
}

/* `skip`: columns behind campaign_id that the table has not. */
static enum dsnd_err send_total(struct write_span *self, enum statement statement, size_t skip)
{
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, total_columns, 1, self->totals.rows, sizeof(*self->totals.rows),
                self->totals.count);
    pg_add_rows(&self->params, total_columns + 1 + skip, COUNT(total_columns) - 1 - skip,
                self->totals.rows, sizeof(*self->totals.rows), self->totals.count);
    return pg_send(self->conn, statement, &self->params);
}

enum dsnd_err write_send_totals(struct write_span *self)
{
    enum dsnd_err err;

    totals_merge(&self->totals);
    err = send_total(self, STATEMENT_WRITE_TOTAL_HOUR, 0);
    totals_fold_hours(&self->totals);
    if (!err)
        err = send_total(self, STATEMENT_WRITE_TOTAL_BREAKDOWN, 1);
    totals_fold_breakdown(&self->totals);
    return err ? err : send_total(self, STATEMENT_WRITE_TOTAL_CAMPAIGN, 3);
}

/* When the first and last report of each campaign arrived; a pair a report, the server folds. */
static enum dsnd_err send_times(struct write_span *self)
{
    struct pg_params *p = &self->params;

    pg_params_clear(p);
    pg_array_begin(p, PG_INT8);
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].fate == WRITE_FATE_STORED)
            pg_elem_i64(p, self->items[i].campaign_id);
    pg_array_end(p);
    pg_array_begin(p, PG_TIMESTAMPTZ);
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].fate == WRITE_FATE_STORED)
            pg_elem_time(p, self->items[i].item.received_us);
    pg_array_end(p);
    return pg_send(self->conn, STATEMENT_WRITE_TOTAL_TIMES, p);
}

struct hit_row {
    int64_t campaign_id;
    int32_t day;
    struct dsnd_str rule;
};

/* One row a status that a rule decided; the server sums up. */
static enum dsnd_err send_hits(struct write_span *self)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, offsetof(struct hit_row, campaign_id)},
        {PG_KIND_DAY, offsetof(struct hit_row, day)},
        {PG_KIND_TEXT, offsetof(struct hit_row, rule)},
    };
    struct hit_row *rows = dsnd_arena_array(&self->arena, self->status_count + 1, sizeof(*rows));
    size_t count = 0;

    if (!rows)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < self->count; i++) {
        const struct write_item *w = &self->items[i];

        for (size_t s = 0; w->fate == WRITE_FATE_STORED && s < w->status_count; s++)
            if (dsnd_str_present(w->statuses[s].recipient->rule))
                rows[count++] = (struct hit_row){w->campaign_id, write_day(w->item.received_us),
                                                 w->statuses[s].recipient->rule};
    }
    pg_params_clear(&self->params);
    pg_add_text(&self->params, self->policy->rules_version);
    pg_add_rows(&self->params, columns, COUNT(columns), rows, sizeof(*rows), count);
    return pg_send(self->conn, STATEMENT_WRITE_RULE_HIT, &self->params);
}

/* The server looks whether anybody wants to hear of them. */
static enum dsnd_err send_events(struct write_span *self)
{
    struct pg_params *p = &self->params;

    pg_params_clear(p);
    pg_array_begin(p, PG_INT8);
    for (size_t i = 0; i < self->count; i++) {
        const struct write_item *w = &self->items[i];

        for (size_t s = 0; w->fate == WRITE_FATE_STORED && s < w->status_count; s++)
            pg_elem_i64(p, w->statuses[s].id);
    }
    pg_array_end(p);
    return pg_send(self->conn, STATEMENT_WRITE_EVENTS, p);
}

static enum dsnd_err send_position(struct write_span *self)
{
    struct pg_params *p = &self->params;

    for (size_t i = 0; i < self->count; i++) {
        enum write_fate fate = self->items[i].fate;

        self->result.reports += fate == WRITE_FATE_STORED;
        self->result.duplicates += fate == WRITE_FATE_DUPLICATE;
        self->result.quarantined += fate == WRITE_FATE_QUARANTINED;
    }
    pg_params_clear(p);
    pg_add_text(p, dsnd_str_of(self->journal));
    pg_add_i64(p, (int64_t)self->position.sequence);
    pg_add_i64(p, (int64_t)self->position.segment);
    pg_add_i64(p, (int64_t)self->position.offset);
    pg_add_i64(p, (int64_t)self->result.reports);
    pg_add_i64(p, (int64_t)self->result.duplicates);
    pg_add_i64(p, (int64_t)self->result.quarantined);
    return pg_send(self->conn, STATEMENT_WRITE_POSITION, p);
}

static enum dsnd_err send_all(struct write_span *self, size_t *ret_sent)
{
    size_t sent = 0;
    enum dsnd_err err = send_reports(self);

    if (!err)
        err = write_send_raw(self, &sent);
    if (!err)
        err = write_send_statuses(self);
    if (!err)
        err = pg_send(self->conn, STATEMENT_WRITE_TOTAL_LOCK, NULL);
    if (!err)
        err = write_send_deliveries(self, true);
    if (!err)
        err = write_send_deliveries(self, false);
    if (!err)
        err = write_send_totals(self);
    if (!err)
        err = send_times(self);
    if (!err)
        err = send_hits(self);
    if (!err)
        err = write_send_incidents(self, &sent);
    if (!err)
        err = write_send_suppressions(self, &sent);
    if (!err)
        err = write_send_receipts(self, &sent);
    if (!err)
        err = send_events(self);
    if (!err)
        err = send_position(self);
    if (!err)
        err = write_send_log(self, &sent);
    if (!err)
        err = pg_send(self->conn, STATEMENT_COMMIT, NULL);
    *ret_sent = sent + 13; /* those that are always sent */
    return err ? err : pg_sync(self->conn);
}

enum dsnd_err write_rows(struct write_span *self)
{
    size_t sent = 0;
    enum dsnd_err err = pg_pipeline_begin(self->conn);

    if (!err)
        err = send_all(self, &sent);
    for (size_t i = 0; i < sent && !err; i++)
        err = pg_next(self->conn, NULL);
    if (!err)
        err = pg_next_sync(self->conn);
    pg_pipeline_end(self->conn);
    return err;
}
