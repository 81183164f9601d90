#include "store/write_span.h"

struct status_row {
    int64_t id;
    int64_t campaign_id;
    int64_t report_id;
    int64_t received_us;
    int64_t recipient_key;
    int32_t retry_after_s;
    int16_t ordinal;
    int16_t action;
    int16_t klass;
    int16_t cause;
    int16_t permanence;
    int16_t fault;
    int16_t evidence;
    int16_t smtp_code;
    struct dsnd_str ref;
    struct dsnd_str recipient;
    struct dsnd_str proven;
    struct dsnd_str final_recipient;
    struct dsnd_str original_recipient;
    struct dsnd_str status;
    struct dsnd_str smtp_status;
    struct dsnd_str provider;
    struct dsnd_str remote_mta;
    struct dsnd_str diagnostic;
    struct dsnd_str will_retry_until;
    struct dsnd_str rule;
    struct dsnd_str matched;
    struct dsnd_str rules_version;
    struct dsnd_str blocklist;
    int64_t incident_key;
};

#define AT(member) offsetof(struct status_row, member)

/* In the order of WRITE_STATUS. */
static const struct pg_column columns[] = {
    {PG_KIND_I64, AT(id)},
    {PG_KIND_I64, AT(campaign_id)},
    {PG_KIND_I64, AT(report_id)},
    {PG_KIND_TIME, AT(received_us)},
    {PG_KIND_I64_OR_NULL, AT(recipient_key)},
    {PG_KIND_I32_OR_NULL, AT(retry_after_s)},
    {PG_KIND_I16, AT(ordinal)},
    {PG_KIND_I16, AT(action)},
    {PG_KIND_I16, AT(klass)},
    {PG_KIND_I16, AT(cause)},
    {PG_KIND_I16, AT(permanence)},
    {PG_KIND_I16, AT(fault)},
    {PG_KIND_I16, AT(evidence)},
    {PG_KIND_I16_OR_NULL, AT(smtp_code)},
    {PG_KIND_TEXT, AT(ref)},
    {PG_KIND_TEXT, AT(recipient)},
    {PG_KIND_TEXT, AT(proven)},
    {PG_KIND_TEXT, AT(final_recipient)},
    {PG_KIND_TEXT, AT(original_recipient)},
    {PG_KIND_TEXT, AT(status)},
    {PG_KIND_TEXT, AT(smtp_status)},
    {PG_KIND_TEXT, AT(provider)},
    {PG_KIND_TEXT, AT(remote_mta)},
    {PG_KIND_TEXT, AT(diagnostic)},
    {PG_KIND_TEXT, AT(will_retry_until)},
    {PG_KIND_TEXT, AT(rule)},
    {PG_KIND_TEXT, AT(matched)},
    {PG_KIND_TEXT, AT(rules_version)},
    {PG_KIND_TEXT, AT(blocklist)},
    {PG_KIND_I64_OR_NULL, AT(incident_key)},
};

static enum dsnd_err format_code(struct write_span *self, struct report_status code,
                                 struct dsnd_str *ret_text)
{
    char text[REPORT_STATUS_SIZE];

    *ret_text = DSND_STR_ABSENT;
    if (code.klass == 0)
        return DSND_OK;
    report_status_format(code, text);
    return dsnd_arena_copy(&self->arena, dsnd_str_of(text), ret_text);
}

static int16_t small(uint32_t n)
{
    return (int16_t)(n > INT16_MAX ? INT16_MAX : n);
}

static enum dsnd_err make_row(struct write_span *self, const struct write_item *w, size_t ordinal,
                              struct status_row *row)
{
    const struct write_status *s = &w->statuses[ordinal];
    const struct report_recipient *r = s->recipient;
    enum dsnd_err err;

    *row = (struct status_row){
        .id = s->id,
        .campaign_id = w->campaign_id,
        .report_id = w->id,
        .received_us = w->item.received_us,
        .retry_after_s = (int32_t)(r->retry_after_s > INT32_MAX ? INT32_MAX : r->retry_after_s),
        .ordinal = small((uint32_t)ordinal),
        .action = (int16_t)r->action,
        .klass = (int16_t)r->klass,
        .cause = (int16_t)r->cause,
        .permanence = (int16_t)r->permanence,
        .fault = (int16_t)r->fault,
        .evidence = (int16_t)s->evidence,
        .smtp_code = small(r->smtp_code),
        .ref = s->ref,
        .recipient = r->recipient,
        .recipient_key = s->key,
        .proven = s->proven,
        .final_recipient = r->final_recipient,
        .original_recipient = r->original_recipient,
        .provider = dsnd_str_present(r->provider) ? r->provider : DSND_STR(""),
        .remote_mta = r->remote_mta,
        .diagnostic = r->diagnostic,
        .will_retry_until = r->will_retry_until,
        .rule = r->rule,
        .matched = r->matched,
        .rules_version = self->policy->rules_version,
        .blocklist = r->blocklist,
        .incident_key = s->incident_key,
    };
    err = format_code(self, r->status, &row->status);
    return err ? err : format_code(self, r->smtp_status, &row->smtp_status);
}

int16_t write_best_evidence(const struct write_item *w)
{
    enum store_evidence best = STORE_EVIDENCE_NONE;

    for (size_t i = 0; i < w->status_count; i++)
        if (w->statuses[i].evidence > best)
            best = w->statuses[i].evidence;
    return (int16_t)best;
}

enum dsnd_err write_send_statuses(struct write_span *self)
{
    struct status_row *rows = dsnd_arena_array(&self->arena, self->status_count + 1, sizeof(*rows));
    enum dsnd_err err = rows ? DSND_OK : DSND_ERR_NOMEM;
    size_t count = 0;

    for (size_t i = 0; i < self->count && !err; i++) {
        const struct write_item *w = &self->items[i];

        for (size_t s = 0; w->fate == WRITE_FATE_STORED && s < w->status_count && !err; s++)
            if (!w->statuses[s].is_written)
                err = make_row(self, w, s, &rows[count++]);
    }
    if (err)
        return err;
    self->result.statuses += count;
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), rows, sizeof(*rows),
                count);
    return pg_send(self->conn, STATEMENT_WRITE_STATUS, &self->params);
}
