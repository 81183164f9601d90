/*
 * Records of a sender-side cause: what they have in common becomes a key, and rows of what goes on
 * are made or moved by it. When such a run is an incident, and when it is over, stands in the table
 * incident_limit and is decided by maintenance.
 */
#include <stdlib.h>
#include <string.h>

#include "store/signature.h"
#include "store/text_ip.h"
#include "store/write_span.h"

/* One record, and after fold() all records of one key. */
struct run {
    int64_t key;
    int64_t campaign_id;
    int64_t us;
    int64_t last_us;
    int64_t records;
    int64_t proven;
    int64_t status_id;
    int16_t klass;
    struct dsnd_str provider;
    struct dsnd_str sender;
    struct dsnd_str signature;
    struct dsnd_str sample; /* masked by fold() */
    struct dsnd_str rule;
    struct dsnd_str blocklist;
    struct dsnd_str ref; /* of the delivery that it proves once */
};

/* The class that makes incidents, or NONE. A delay of such a class is the incident's first sign. */
static enum report_class cause_of(const struct report_recipient *r)
{
    enum report_class klass = r->klass == REPORT_CLASS_EXPIRED ? r->cause : r->klass;
    bool refused = r->action == REPORT_ACTION_FAILED || r->action == REPORT_ACTION_DELAYED;

    if (klass == REPORT_CLASS_REPUTATION_BLOCK || klass == REPORT_CLASS_AUTH_FAILURE ||
        klass == REPORT_CLASS_CONTENT_BLOCK)
        return refused ? klass : REPORT_CLASS_NONE;
    return REPORT_CLASS_NONE;
}

static enum dsnd_err find_sender(struct write_span *self, const struct write_item *w,
                                 const struct report_recipient *r, struct dsnd_str *ret_sender)
{
    struct dsnd_str mta = w->report.reporting_mta;
    char ip[STORE_IP_SIZE];
    char *lower;

    if (store_text_ip(r->diagnostic, r->remote_mta, ip))
        return dsnd_arena_copy(&self->arena, dsnd_str_of(ip), ret_sender);
    lower = dsnd_arena_alloc(&self->arena, mta.len + 1);
    if (!lower)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < mta.len; i++)
        lower[i] = dsnd_lower(mta.ptr[i]);
    *ret_sender = dsnd_str_make(lower, mta.len);
    return DSND_OK;
}

static enum dsnd_err find_key(struct run *run)
{
    const char class_octet[] = {(char)run->klass};
    const struct dsnd_str end = dsnd_str_make("\n", 1); /* cleaned texts hold none */
    const struct dsnd_str parts[] = {
        run->provider,  end, run->sender, end, dsnd_str_make(class_octet, sizeof(class_octet)),
        run->signature,
    };
    struct store_hash hash;
    enum dsnd_err err = store_hash_of(parts, sizeof(parts) / sizeof(*parts), &hash);

    if (!err)
        run->key = store_hash_key(&hash);
    return err;
}

static enum dsnd_err make_run(struct write_span *self, const struct write_item *w,
                              const struct write_status *s, struct run *run)
{
    const struct report_recipient *r = s->recipient;
    enum dsnd_err err;

    *run = (struct run){
        .campaign_id = w->campaign_id,
        .us = w->item.received_us,
        .last_us = w->item.received_us,
        .records = 1,
        .proven = s->evidence != STORE_EVIDENCE_NONE,
        .status_id = s->id,
        .klass = (int16_t)cause_of(r),
        .provider = dsnd_str_present(r->provider) ? r->provider : DSND_STR(""),
        .sample = r->diagnostic,
        .rule = r->rule,
        .blocklist = r->blocklist,
        .ref = s->ref,
    };
    err = store_text_signature(&self->arena, r->diagnostic, &run->signature);
    if (!err)
        err = find_sender(self, w, r, &run->sender);
    return err ? err : find_key(run);
}

enum dsnd_err write_find_incidents(struct write_span *self)
{
    struct run *runs = dsnd_arena_array(&self->arena, self->status_count + 1, sizeof(*runs));
    enum dsnd_err err = runs ? DSND_OK : DSND_ERR_NOMEM;

    self->runs = runs;
    for (size_t i = 0; i < self->count && !err; i++) {
        const struct write_item *w = &self->items[i];

        for (size_t s = 0; w->fate == WRITE_FATE_STORED && s < w->status_count && !err; s++) {
            struct write_status *status = &w->statuses[s];

            if (cause_of(status->recipient) == REPORT_CLASS_NONE ||
                status->evidence < self->policy->min_evidence)
                continue;
            err = make_run(self, w, status, &runs[self->run_count]);
            status->incident_key = runs[self->run_count++].key;
        }
    }
    return err;
}

static int compare_runs(const void *left, const void *right)
{
    const struct run *a = left;
    const struct run *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->status_id < b->status_id ? -1 : a->status_id > b->status_id;
}

/* A row a key, in key order, behind the records in `list`. */
static enum dsnd_err fold(struct write_span *self, const struct run *list, struct run *rows,
                          size_t *ret_count)
{
    enum dsnd_err err = DSND_OK;
    size_t count = 0;

    for (size_t i = 0; i < self->run_count && !err; i++) {
        struct run *row = count ? &rows[count - 1] : NULL;

        if (!row || row->key != list[i].key) {
            rows[count] = list[i];
            err = store_text_mask(&self->arena, list[i].sample, &rows[count++].sample);
            continue;
        }
        row->records++;
        if (list[i].us < row->us)
            row->us = list[i].us;
        if (list[i].us > row->last_us)
            row->last_us = list[i].us;
        if (!dsnd_str_present(row->blocklist))
            row->blocklist = list[i].blocklist;
    }
    *ret_count = count;
    return err;
}

static enum dsnd_err send_rows(struct write_span *self, const struct run *rows, size_t count)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, offsetof(struct run, key)},
        {PG_KIND_I16, offsetof(struct run, klass)},
        {PG_KIND_TEXT, offsetof(struct run, provider)},
        {PG_KIND_TEXT, offsetof(struct run, sender)},
        {PG_KIND_TEXT, offsetof(struct run, signature)},
        {PG_KIND_TIME, offsetof(struct run, us)},
        {PG_KIND_TIME, offsetof(struct run, last_us)},
        {PG_KIND_I64, offsetof(struct run, records)},
        {PG_KIND_I64, offsetof(struct run, status_id)},
        {PG_KIND_TEXT, offsetof(struct run, sample)},
        {PG_KIND_TEXT, offsetof(struct run, rule)},
        {PG_KIND_TEXT, offsetof(struct run, blocklist)},
    };

    pg_params_clear(&self->params);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), rows, sizeof(*rows),
                count);
    return pg_send(self->conn, STATEMENT_WRITE_INCIDENT, &self->params);
}

/* Which campaigns were hit, and when; the server sums up. */
static enum dsnd_err send_parts(struct write_span *self, const struct run *list)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, offsetof(struct run, key)},  {PG_KIND_I64, offsetof(struct run, campaign_id)},
        {PG_KIND_TIME, offsetof(struct run, us)},  {PG_KIND_I64, offsetof(struct run, proven)},
        {PG_KIND_TEXT, offsetof(struct run, ref)},
    };

    pg_params_clear(&self->params);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), list, sizeof(*list),
                self->run_count);
    return pg_send(self->conn, STATEMENT_WRITE_INCIDENT_PARTS, &self->params);
}

enum dsnd_err write_send_incidents(struct write_span *self, size_t *ret_sent)
{
    struct run *list = self->runs;
    struct run *rows = dsnd_arena_array(&self->arena, self->run_count + 1, sizeof(*rows));
    enum dsnd_err err = rows ? DSND_OK : DSND_ERR_NOMEM;
    size_t count = 0;

    if (err || !self->run_count)
        return err;
    qsort(list, self->run_count, sizeof(*list), compare_runs);
    err = fold(self, list, rows, &count);
    if (!err)
        err = send_rows(self, rows, count);
    if (!err)
        err = send_parts(self, list);
    *ret_sent += 2;
    return err;
}
