#include <zstd.h>

#include "base/clock.h"
#include "parse/status_code.h"
#include "store/reclassify_span.h"

enum { RAW_MAX = 256 * 1024 * 1024 };

/* Columns of RECLASSIFY_REPORTS. */
enum column {
    COLUMN_ID,
    COLUMN_CAMPAIGN_ID,
    COLUMN_CAMPAIGN,
    COLUMN_RECEIVED_AT,
    COLUMN_ENVELOPE_TO,
    COLUMN_KIND,
    COLUMN_FEEDBACK,
    COLUMN_ATTRIBUTION,
    COLUMN_EVIDENCE,
    COLUMN_WARNINGS,
    COLUMN_RECIPIENTS,
    COLUMN_RECIPIENTS_DROPPED,
    COLUMN_ENVELOPE_ID,
    COLUMN_REPORTING_MTA,
    COLUMN_ARRIVAL_DATE,
    COLUMN_MESSAGE_ID,
    COLUMN_SUBJECT,
    COLUMN_FROM_ADDRESS,
    COLUMN_RETURNED_MESSAGE_ID,
    COLUMN_RETURNED_TO,
    COLUMN_RULES_VERSION,
    COLUMN_OCTETS,
    COLUMN_RAW,
    COLUMN_MAIL_FROM,
};

static void read_report(const PGresult *rows, int row, struct again_item *item)
{
    struct report *report = &item->report;

    item->id = pg_i64(rows, row, COLUMN_ID);
    item->campaign_id = pg_i64(rows, row, COLUMN_CAMPAIGN_ID);
    item->campaign_key = pg_str(rows, row, COLUMN_CAMPAIGN);
    item->received_us = pg_time(rows, row, COLUMN_RECEIVED_AT);
    item->rules_version = pg_str(rows, row, COLUMN_RULES_VERSION);
    item->attribution = (enum store_attribution)pg_i16(rows, row, COLUMN_ATTRIBUTION);
    item->evidence = (enum store_evidence)pg_i16(rows, row, COLUMN_EVIDENCE);
    report->kind = (enum report_kind)pg_i16(rows, row, COLUMN_KIND);
    report->feedback = (enum report_feedback)pg_i16(rows, row, COLUMN_FEEDBACK);
    report->warnings = (uint32_t)pg_i32(rows, row, COLUMN_WARNINGS);
    report->recipient_count = (size_t)pg_i32(rows, row, COLUMN_RECIPIENTS);
    report->recipients_dropped = (size_t)pg_i32(rows, row, COLUMN_RECIPIENTS_DROPPED);
    report->envelope_id = pg_str(rows, row, COLUMN_ENVELOPE_ID);
    report->reporting_mta = pg_str(rows, row, COLUMN_REPORTING_MTA);
    report->arrival_date = pg_str(rows, row, COLUMN_ARRIVAL_DATE);
    report->message_id = pg_str(rows, row, COLUMN_MESSAGE_ID);
    report->subject = pg_str(rows, row, COLUMN_SUBJECT);
    report->from = pg_str(rows, row, COLUMN_FROM_ADDRESS);
    report->returned.message_id = pg_str(rows, row, COLUMN_RETURNED_MESSAGE_ID);
    report->returned.to = pg_str(rows, row, COLUMN_RETURNED_TO);
}

static void read_status(const PGresult *rows, int row, struct again_old *old)
{
    struct report_recipient *r = &old->recipient;
    struct write_status *s = &old->status;

    s->id = pg_i64(rows, row, 1);
    old->campaign_id = pg_i64(rows, row, 2);
    r->action = (enum report_action)pg_i16(rows, row, 4);
    r->klass = (enum report_class)pg_i16(rows, row, 5);
    r->cause = (enum report_class)pg_i16(rows, row, 6);
    r->permanence = (enum report_permanence)pg_i16(rows, row, 7);
    r->fault = (enum report_fault)pg_i16(rows, row, 8);
    s->evidence = (enum store_evidence)pg_i16(rows, row, 9);
    r->smtp_code = (uint16_t)pg_i16(rows, row, 10);
    r->retry_after_s = (uint32_t)pg_i32(rows, row, 11);
    s->key = pg_i64(rows, row, 12);
    s->ref = pg_str(rows, row, 13);
    r->recipient = pg_str(rows, row, 14);
    s->proven = pg_str(rows, row, 15);
    r->final_recipient = pg_str(rows, row, 16);
    r->original_recipient = pg_str(rows, row, 17);
    (void)status_code_read(pg_str(rows, row, 18), &r->status);
    (void)status_code_read(pg_str(rows, row, 19), &r->smtp_status);
    r->provider = pg_str(rows, row, 20);
    if (r->provider.len == 0)
        r->provider = DSND_STR_ABSENT;
    r->remote_mta = pg_str(rows, row, 21);
    r->diagnostic = pg_str(rows, row, 22);
    r->will_retry_until = pg_str(rows, row, 23);
    r->rule = pg_str(rows, row, 24);
    r->matched = pg_str(rows, row, 25);
    old->rules_version = pg_str(rows, row, 26);
    r->blocklist = pg_str(rows, row, 27);
    s->recipient = r;
}

/* Nobody can say any more what an erased record was about. */
static bool is_erased(const struct again_old *old)
{
    return dsnd_str_eq(old->rules_version, DSND_STR("erased")) ||
           (dsnd_str_present(old->recipient.rule) && !dsnd_str_present(old->recipient.matched));
}

/* A row a recipient; retention may have dropped them before their report. A complaint that names
 * nobody lists no recipient, yet has one record. */
static bool is_whole(const struct again_item *item)
{
    size_t virtual_one = item->report.kind == REPORT_KIND_ARF && !item->report.recipient_count;

    return item->old_count == item->report.recipient_count + virtual_one;
}

/* The rows of status of one report, from `*at` on; they come in order of the reports. */
static enum dsnd_err take_statuses(struct again *self, struct again_item *item, int *at)
{
    const PGresult *rows = self->statuses;
    int end = *at;

    while (end < PQntuples(rows) && pg_i64(rows, end, 0) == item->id)
        end++;
    item->old_count = (size_t)(end - *at);
    item->olds = dsnd_arena_array(&self->span.arena, item->old_count + 1, sizeof(*item->olds));
    if (!item->olds)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < item->old_count; i++) {
        struct again_old *old = &item->olds[i];

        read_status(rows, (*at)++, old);
        again_event(self, &item->report, &old->status, item->received_us);
        item->fixed |= is_erased(old);
    }
    item->fixed |= dsnd_str_eq(item->rules_version, DSND_STR("erased")) || !is_whole(item);
    return DSND_OK;
}

/* What the rows say, as judge gets it: facts without what classification made of them. */
static enum dsnd_err copy_facts(struct again *self, const struct again_item *item,
                                struct report *report)
{
    *report = item->report;
    if (report->recipient_count > item->old_count)
        report->recipient_count = item->old_count;
    report->recipients = dsnd_arena_array(&self->span.arena, report->recipient_count + 1,
                                          sizeof(*report->recipients));
    if (!report->recipients)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < report->recipient_count; i++)
        report->recipients[i] = item->olds[i].recipient;
    return DSND_OK;
}

static enum dsnd_err decompress(struct again *self, int row, struct dsnd_str *ret_octets)
{
    struct dsnd_str raw = pg_str(self->reports, row, COLUMN_RAW);
    size_t size = (size_t)pg_i32(self->reports, row, COLUMN_OCTETS);
    char *octets;

    if (!dsnd_str_present(raw) || size > RAW_MAX)
        return DSND_OK;
    octets = dsnd_arena_alloc(&self->span.arena, size + 1);
    if (!octets)
        return DSND_ERR_NOMEM;
    if (ZSTD_decompress(octets, size, raw.ptr, raw.len) == size)
        *ret_octets = dsnd_str_make(octets, size);
    return DSND_OK;
}

/*
 * The path by which the report was attributed: the only one, or one whose ref its records bear.
 * Whatever else stands in the envelope was never proven by it.
 */
static bool was_signed(const struct again_item *item, const struct return_path *path, bool only)
{
    struct dsnd_str ref = dsnd_str_of(path->ref);

    if (item->attribution != STORE_ATTRIBUTION_RETURN_PATH ||
        !dsnd_str_eq(dsnd_str_of(path->campaign), item->campaign_key))
        return false;
    for (size_t i = 0; i < item->old_count && !only; i++)
        only = item->olds[i].status.evidence >= STORE_EVIDENCE_SIGNED_OTHER &&
               dsnd_str_eq(item->olds[i].status.ref, ref);
    return only;
}

/* One that was signed stays so when its key is no longer in the file: the record remembers. */
static void verify(const struct again *self, const struct again_item *item, struct dsnd_str address,
                   bool only, struct return_path *path)
{
    static const struct return_path_keys none;
    const struct store_policy *policy = self->span.policy;
    const struct return_path_keys *keys = policy->keys ? policy->keys : &none;
    bool held = false;

    return_path_verify(keys, address, item->received_us, policy->return_path_max_age_us, path);
    for (size_t i = 0; i < keys->count; i++)
        held |= keys->key[i].id == path->key_id;
    if (path->verdict == RETURN_PATH_FORGED && !held && was_signed(item, path, only))
        path->verdict = RETURN_PATH_SIGNED;
}

static enum dsnd_err read_envelope(struct again *self, const struct again_item *item, int row,
                                   struct store_item *ret_item)
{
    struct dsnd_str rest = pg_str(self->reports, row, COLUMN_ENVELOPE_TO);
    size_t count = rest.len > 0;
    struct dsnd_str *to;
    struct return_path *paths;

    for (size_t i = 0; i < rest.len; i++)
        count += rest.ptr[i] == '\n';
    to = dsnd_arena_array(&self->span.arena, count + 1, sizeof(*to));
    paths = dsnd_arena_array(&self->span.arena, count + 1, sizeof(*paths));
    if (!to || !paths)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        to[i] = dsnd_str_cut(&rest, '\n');
        verify(self, item, to[i], count == 1, &paths[i]);
    }
    ret_item->envelope_to = to;
    ret_item->return_paths = paths;
    ret_item->envelope_to_count = count;
    return DSND_OK;
}

static enum dsnd_err judge_item(struct again *self, struct again_item *item, int row,
                                struct store_item *ret_item)
{
    struct report *report = dsnd_arena_alloc(&self->span.arena, sizeof(*report));
    struct dsnd_str octets = DSND_STR_ABSENT;
    enum dsnd_err err = report ? DSND_OK : DSND_ERR_NOMEM;

    *ret_item = (struct store_item){.received_us = item->received_us,
                                    .mail_from = pg_str(self->reports, row, COLUMN_MAIL_FROM),
                                    .report = report};
    if (!err)
        err = read_envelope(self, item, row, ret_item);
    if (!err && !item->fixed)
        err = decompress(self, row, &octets);
    item->parsed = dsnd_str_present(octets);
    if (!err && !item->parsed)
        err = copy_facts(self, item, report);
    if (err || item->fixed)
        return err;
    ret_item->octets = octets;
    if (self->what->judge(self->what->context, octets, &self->span.arena, report)) {
        item->fixed = true;
        item->parsed = false;
        err = copy_facts(self, item, report);
    }
    return err;
}

static enum dsnd_err load_statuses(struct again *self)
{
    struct pg_params *p = &self->span.params;

    pg_params_clear(p);
    pg_array_begin(p, PG_INT8);
    for (int i = 0; i < PQntuples(self->reports); i++)
        pg_elem_i64(p, pg_i64(self->reports, i, COLUMN_ID));
    pg_array_end(p);
    pg_add_i64(p, self->low);
    pg_add_i64(p, self->high);
    return pg_run(self->span.conn, STATEMENT_RECLASSIFY_STATUSES, p, &self->statuses);
}

static void add_time_or_null(struct pg_params *params, int64_t us)
{
    if (us)
        pg_add_time(params, us);
    else
        pg_add_null(params);
}

static enum dsnd_err load_reports(struct again *self, int64_t after, int64_t end)
{
    struct pg_params *p = &self->span.params;
    enum statement statement =
        self->what->apply ? STATEMENT_RECLASSIFY_REPORTS_LOCK : STATEMENT_RECLASSIFY_REPORTS_READ;
    enum dsnd_err err;
    int count;

    pg_params_clear(p);
    pg_add_i64(p, after);
    pg_add_i64(p, end);
    add_time_or_null(p, self->what->from_us);
    add_time_or_null(p, self->what->to_us);
    pg_add_text(p, self->what->campaign);
    pg_add_bool(p, self->what->reparse);
    pg_add_i32(p, self->what->batch);
    err = pg_run(self->span.conn, statement, p, &self->reports);
    count = err ? 0 : PQntuples(self->reports);
    if (!count)
        return err;
    /* Whole days: the records of a report are filed under its day. */
    self->last = pg_i64(self->reports, count - 1, COLUMN_ID);
    self->low = write_record_id(pg_time(self->reports, 0, COLUMN_RECEIVED_AT), 0);
    self->high =
        write_record_id(pg_time(self->reports, count - 1, COLUMN_RECEIVED_AT) + DSND_US_PER_DAY, 0);
    return load_statuses(self);
}

/* The day of the signed return path that names the delivery; 0 where the envelope has none. */
static int64_t minted_us(const struct write_item *w, struct dsnd_str ref)
{
    for (size_t i = 0; i < w->item.envelope_to_count; i++) {
        const struct return_path *path = &w->item.return_paths[i];

        if (path->verdict == RETURN_PATH_SIGNED && dsnd_str_eq(dsnd_str_of(path->ref), ref))
            return ((int64_t)path->day + WRITE_DAY_ZERO) * DSND_US_PER_DAY;
    }
    return 0;
}

/* What was attributed stays so where nothing was parsed anew. */
static void keep_attribution(struct again *self)
{
    for (size_t i = 0; i < self->span.count; i++) {
        const struct again_item *item = &self->items[i];
        struct write_item *w = &self->span.items[i];

        w->id = item->id;
        if (item->parsed)
            continue;
        w->fate = WRITE_FATE_STORED;
        w->campaign_id = item->campaign_id;
        w->attribution = item->attribution;
        if (w->status_count > item->old_count)
            w->status_count = item->old_count;
        for (size_t s = 0; s < w->status_count; s++) {
            w->statuses[s].evidence = item->olds[s].status.evidence;
            w->statuses[s].proven = item->olds[s].status.proven;
            w->statuses[s].ref = item->olds[s].status.ref;
            w->statuses[s].key = item->olds[s].status.key;
            again_event(self, &w->report, &w->statuses[s], item->received_us);
            w->statuses[s].event.minted_us = minted_us(w, w->statuses[s].ref);
        }
    }
}

/* Rows that there were keep their numbers, in their order; others get new ones. */
static void number_statuses(struct again *self)
{
    const PGresult *ids = self->span.found[WRITE_LOOKUP_IDS];
    int next = 0;

    for (size_t i = 0; i < self->span.count; i++) {
        const struct again_item *item = &self->items[i];
        struct write_item *w = &self->span.items[i];

        for (size_t s = 0; s < w->status_count; s++)
            w->statuses[s].id = s < item->old_count
                                    ? item->olds[s].status.id
                                    : write_record_id(item->received_us, pg_i64(ids, next++, 0));
    }
}

static enum dsnd_err attribute(struct again *self)
{
    size_t more = 0;
    enum dsnd_err err;

    for (size_t i = 0; i < self->span.count; i++) {
        struct write_item *w = &self->span.items[i];

        if (!self->items[i].parsed)
            w->fate = WRITE_FATE_SKIPPED;
        else if (w->status_count > self->items[i].old_count)
            more += w->status_count - self->items[i].old_count;
    }
    err = write_lookup_again(&self->span, more);
    if (err)
        return err;
    number_statuses(self);
    err = write_attribute(&self->span);
    if (!err)
        keep_attribution(self);
    return err;
}

enum dsnd_err again_load(struct again *self, int64_t after, int64_t end)
{
    struct write_span *span = &self->span;
    struct store_item *stored;
    enum dsnd_err err = load_reports(self, after, end);
    int at = 0;

    if (err || !self->last)
        return err;
    span->count = (size_t)PQntuples(self->reports);
    self->items = dsnd_arena_array(&span->arena, span->count, sizeof(*self->items));
    stored = dsnd_arena_array(&span->arena, span->count, sizeof(*stored));
    if (!self->items || !stored)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < span->count && !err; i++) {
        read_report(self->reports, (int)i, &self->items[i]);
        err = take_statuses(self, &self->items[i], &at);
        if (!err)
            err = judge_item(self, &self->items[i], (int)i, &stored[i]);
    }
    if (!err)
        err = write_prepare(span, stored);
    if (!err)
        err = attribute(self);
    if (!err)
        write_fold(span);
    return err ? err : write_find_incidents(span);
}
