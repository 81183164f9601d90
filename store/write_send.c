/*
 * What the log of the sender's own server tells was sent, registered by the same function as POST
 * /v1/sends, and counted once: whoever registered a send first, here or there, keeps it. What it
 * tells of deliveries has to be there when they are read, and it ends with the totals: so all
 * campaigns and all deliveries of the span are locked before.
 */
#include "parse/provider.h"
#include "store/write_span.h"

struct send_row {
    int64_t campaign_id;
    struct dsnd_str campaign;
    struct dsnd_str ref;
    struct dsnd_str recipient; /* absent where nothing proves whose the ref is */
    int64_t recipient_key;
    struct dsnd_str message_id;
    struct dsnd_str envelope_id;
    struct dsnd_str provider;
    int64_t sent_us;
};

#define AT(member) offsetof(struct send_row, member)

/* In the order of SEND_ADD. */
static const struct pg_column columns[] = {
    {PG_KIND_TEXT, AT(campaign)},   {PG_KIND_TEXT, AT(ref)},
    {PG_KIND_TEXT, AT(recipient)},  {PG_KIND_I64_OR_NULL, AT(recipient_key)},
    {PG_KIND_TEXT, AT(message_id)}, {PG_KIND_TEXT, AT(envelope_id)},
    {PG_KIND_TEXT, AT(provider)},   {PG_KIND_TIME, AT(sent_us)},
};

static struct dsnd_str or_absent(struct dsnd_str s)
{
    return s.len ? s : DSND_STR_ABSENT;
}

static enum dsnd_err make_row(const struct write_span *self, const struct write_item *w,
                              struct send_row *row)
{
    const struct write_status *first = w->status_count ? &w->statuses[0] : NULL;
    struct dsnd_str proven = first ? first->proven : DSND_STR_ABSENT;
    size_t at = dsnd_str_rchr(proven, '@');
    struct store_hash hash;
    enum dsnd_err err = DSND_OK;

    *row = (struct send_row){
        .campaign_id = w->campaign_id,
        .campaign = dsnd_str_of(w->path->campaign),
        .ref = dsnd_str_of(w->path->ref),
        .recipient = or_absent(proven),
        .message_id = or_absent(w->report.returned.message_id),
        .envelope_id = or_absent(w->report.envelope_id),
        .provider = DSND_STR_ABSENT,
        .sent_us = w->item.sent_us,
    };
    if (dsnd_str_present(row->recipient))
        err = store_address_hash(row->recipient, &hash);
    if (!err && dsnd_str_present(row->recipient))
        row->recipient_key = store_hash_key(&hash);
    /* As what becomes of it is counted: by the host that took it, else by the domain. */
    if (first)
        row->provider = first->recipient->provider;
    if (at != SIZE_MAX && !dsnd_str_present(row->provider))
        row->provider =
            provider_of(self->policy->providers, dsnd_str_slice(proven, at + 1, proven.len));
    if (!dsnd_str_present(row->provider))
        row->provider = DSND_STR("");
    return err;
}

/* A delivery to be locked. */
struct hold {
    int64_t campaign_id;
    struct dsnd_str ref;
};

static enum dsnd_err hold_all(struct write_span *self, const struct hold *holds, size_t count)
{
    static const struct pg_column keys[] = {
        {PG_KIND_I64, offsetof(struct hold, campaign_id)},
        {PG_KIND_TEXT, offsetof(struct hold, ref)},
    };
    enum dsnd_err err;

    pg_params_clear(&self->params);
    pg_add_rows(&self->params, keys, 1, holds, sizeof(*holds), count);
    err = pg_run(self->conn, STATEMENT_WRITE_CAMPAIGN_HOLD, &self->params, NULL);
    if (err)
        return err;
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, keys, 2, holds, sizeof(*holds), count);
    return pg_run(self->conn, STATEMENT_WRITE_DELIVERY_LOCK, &self->params, NULL);
}

static enum dsnd_err hold_span(struct write_span *self, const struct send_row *rows, size_t count)
{
    struct hold *holds =
        dsnd_arena_array(&self->arena, self->delivery_count + count, sizeof(*holds));
    size_t n = 0;

    if (!holds)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < self->delivery_count; i++)
        holds[n++] = (struct hold){self->deliveries[i].campaign_id, self->deliveries[i].ref};
    for (size_t i = 0; i < count; i++)
        holds[n++] = (struct hold){rows[i].campaign_id, rows[i].ref};
    return hold_all(self, holds, n);
}

/* Registered before, perhaps when nobody knew yet to which provider it goes. */
static enum dsnd_err place(struct write_span *self, const PGresult *added, struct send_row *rows)
{
    static const struct pg_column told[] = {
        {PG_KIND_I64, AT(campaign_id)},
        {PG_KIND_TEXT, AT(ref)},
        {PG_KIND_TEXT, AT(provider)},
    };
    size_t known = 0;

    for (int i = 0; i < PQntuples(added); i++) {
        bool is_new = dsnd_str_eq(pg_str(added, i, 0), DSND_STR("true"));

        self->result.sends += is_new;
        if (!is_new && rows[i].provider.len)
            rows[known++] = rows[i];
    }
    if (!known)
        return DSND_OK;
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, told, sizeof(told) / sizeof(*told), rows, sizeof(*rows), known);
    return pg_run(self->conn, STATEMENT_WRITE_SEND_PLACE, &self->params, NULL);
}

enum dsnd_err write_sends(struct write_span *self)
{
    struct send_row *rows = dsnd_arena_array(&self->arena, self->count + 1, sizeof(*rows));
    PGresult *added = NULL;
    size_t count = 0;
    enum dsnd_err err = rows ? DSND_OK : DSND_ERR_NOMEM;

    for (size_t i = 0; i < self->count && !err; i++) {
        const struct write_item *w = &self->items[i];

        if (w->fate == WRITE_FATE_STORED && w->item.registers && w->path)
            err = make_row(self, w, &rows[count++]);
    }
    if (err || !count)
        return err;
    err = hold_span(self, rows, count);
    if (err)
        return err;
    pg_params_clear(&self->params);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), rows, sizeof(*rows),
                count);
    err = pg_run(self->conn, STATEMENT_SEND_ADD, &self->params, &added);
    if (!err)
        err = place(self, added, rows);
    PQclear(added);
    return err;
}
