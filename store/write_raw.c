#include <zstd.h>

#include "store/text.h"
#include "store/write_span.h"

/* Level 1: mail compresses well at any, and its octets are seldom read again. */
enum { LEVEL = 1 };

struct raw_row {
    int64_t id;
    int64_t campaign_id;
    int64_t sequence;
    int64_t received_us;
    int32_t octets;
    int16_t reason;
    int16_t source;
    bool tls;
    struct dsnd_str raw;
    struct dsnd_str peer;
    struct dsnd_str helo;
    struct dsnd_str mail_from;
    struct dsnd_str envelope_to; /* a line a recipient */
    struct dsnd_str envelope_id;
    struct dsnd_str error;
};

#define AT(member) offsetof(struct raw_row, member)

static enum dsnd_err compress(struct write_span *self, struct dsnd_str octets,
                              struct dsnd_str *ret_raw)
{
    size_t bound = ZSTD_compressBound(octets.len);
    char *out = dsnd_arena_alloc(&self->arena, bound);
    size_t len;

    if (!self->conn->zstd)
        self->conn->zstd = ZSTD_createCCtx();
    if (!out || !self->conn->zstd)
        return DSND_ERR_NOMEM;
    len = ZSTD_compressCCtx(self->conn->zstd, out, bound, octets.ptr, octets.len, LEVEL);
    if (ZSTD_isError(len))
        return DSND_ERR_NOMEM;
    *ret_raw = dsnd_str_make(out, len);
    return DSND_OK;
}

static enum dsnd_err make_row(struct write_span *self, const struct write_item *w,
                              struct raw_row *row)
{
    const struct store_item *item = &w->item;
    enum dsnd_err err;

    *row = (struct raw_row){
        .id = w->id,
        .campaign_id = w->campaign_id,
        .sequence = (int64_t)item->sequence,
        .received_us = item->received_us,
        .octets = (int32_t)item->octets.len,
        .reason = (int16_t)item->quarantine,
        .source = (int16_t)item->source,
        .tls = item->tls,
        .peer = item->peer,
        .helo = item->helo,
        .mail_from = item->mail_from,
        .envelope_id = item->envelope_id,
        .error =
            dsnd_str_of(item->quarantine == STORE_QUARANTINE_ROW_REFUSED ? self->refusal : NULL),
    };
    err = store_text_lines(&self->arena, item->envelope_to, item->envelope_to_count,
                           &row->envelope_to);
    return err ? err : compress(self, item->octets, &row->raw);
}

static enum dsnd_err make_rows(struct write_span *self, enum write_fate fate,
                               struct raw_row **ret_rows, size_t *ret_count)
{
    struct raw_row *rows = dsnd_arena_array(&self->arena, self->count, sizeof(*rows));
    enum dsnd_err err = rows ? DSND_OK : DSND_ERR_NOMEM;
    size_t count = 0;

    for (size_t i = 0; i < self->count && !err; i++)
        if (self->items[i].fate == fate)
            err = make_row(self, &self->items[i], &rows[count++]);
    *ret_rows = rows;
    *ret_count = count;
    return err;
}

static enum dsnd_err send_quarantine(struct write_span *self, size_t *sent)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, AT(sequence)},     {PG_KIND_TIME, AT(received_us)},
        {PG_KIND_I32, AT(octets)},       {PG_KIND_I16, AT(reason)},
        {PG_KIND_I16, AT(source)},       {PG_KIND_BOOL, AT(tls)},
        {PG_KIND_BYTEA, AT(raw)},        {PG_KIND_TEXT, AT(peer)},
        {PG_KIND_TEXT, AT(helo)},        {PG_KIND_TEXT, AT(mail_from)},
        {PG_KIND_TEXT, AT(envelope_to)}, {PG_KIND_TEXT, AT(envelope_id)},
        {PG_KIND_TEXT, AT(error)},
    };
    struct raw_row *rows = NULL;
    size_t count = 0;
    enum dsnd_err err = make_rows(self, WRITE_FATE_QUARANTINED, &rows, &count);

    if (err || !count)
        return err;
    pg_params_clear(&self->params);
    pg_add_i64(&self->params, self->journal_id);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), rows, sizeof(*rows),
                count);
    (*sent)++;
    return pg_send(self->conn, STATEMENT_WRITE_QUARANTINE, &self->params);
}

enum dsnd_err write_send_raw(struct write_span *self, size_t *ret_sent)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, AT(id)},
        {PG_KIND_I64, AT(campaign_id)},
        {PG_KIND_I32, AT(octets)},
        {PG_KIND_BYTEA, AT(raw)},
    };
    struct raw_row *rows = NULL;
    size_t count = 0;
    enum dsnd_err err = send_quarantine(self, ret_sent);

    if (!err && self->policy->keep_raw)
        err = make_rows(self, WRITE_FATE_STORED, &rows, &count);
    if (err || !count)
        return err;
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), rows, sizeof(*rows),
                count);
    (*ret_sent)++;
    return pg_send(self->conn, STATEMENT_WRITE_RAW, &self->params);
}
