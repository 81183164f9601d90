#include "store/write_span.h"

struct receipt_row {
    int64_t sequence;
    struct dsnd_str recipient;
    struct dsnd_str message;
};

#define AT(member) offsetof(struct receipt_row, member)

/* Mail that was handed in twice gets one receipt; mail that was set aside was delivered too. */
static bool wants_receipt(const struct write_item *w)
{
    return dsnd_str_present(w->item.receipt) &&
           (w->fate == WRITE_FATE_STORED || w->fate == WRITE_FATE_QUARANTINED);
}

enum dsnd_err write_send_receipts(struct write_span *self, size_t *ret_sent)
{
    static const struct pg_column columns[] = {
        {PG_KIND_I64, AT(sequence)},
        {PG_KIND_TEXT, AT(recipient)},
        {PG_KIND_BYTEA, AT(message)},
    };
    struct receipt_row *rows;
    size_t count = 0;

    for (size_t i = 0; i < self->count; i++)
        count += wants_receipt(&self->items[i]);
    if (!count)
        return DSND_OK;
    rows = dsnd_arena_array(&self->arena, count, sizeof(*rows));
    if (!rows)
        return DSND_ERR_NOMEM;
    count = 0;
    for (size_t i = 0; i < self->count; i++) {
        const struct store_item *item = &self->items[i].item;

        if (wants_receipt(&self->items[i]))
            rows[count++] =
                (struct receipt_row){(int64_t)item->sequence, item->mail_from, item->receipt};
    }
    pg_params_clear(&self->params);
    pg_add_i64(&self->params, self->journal_id);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), rows, sizeof(*rows),
                count);
    (*ret_sent)++;
    return pg_send(self->conn, STATEMENT_WRITE_RECEIPT, &self->params);
}
