#include "store/text.h"
#include "store/write_span.h"

struct message_row {
    struct store_log_message m;
    int64_t recipient_key;
};

#define AT(member) offsetof(struct message_row, member)

/* In the order of WRITE_LOG_SET. */
static const struct pg_column columns[] = {
    {PG_KIND_TEXT, AT(m.queue_id)},   {PG_KIND_TEXT, AT(m.sender)},
    {PG_KIND_TEXT, AT(m.message_id)}, {PG_KIND_TIME_OR_NULL, AT(m.queued_us)},
    {PG_KIND_TEXT, AT(m.recipient)},  {PG_KIND_I64_OR_NULL, AT(recipient_key)},
    {PG_KIND_TEXT, AT(m.remote_mta)}, {PG_KIND_TEXT, AT(m.diagnostic)},
};

static enum dsnd_err make_row(struct write_span *self, const struct store_log_message *message,
                              struct message_row *row)
{
    enum { TEXTS = 6 };
    struct dsnd_str *const texts[TEXTS] = {&row->m.queue_id,   &row->m.sender,
                                           &row->m.message_id, &row->m.recipient,
                                           &row->m.remote_mta, &row->m.diagnostic};
    struct store_hash hash;
    enum dsnd_err err = DSND_OK;

    row->m = *message;
    for (size_t i = 0; i < TEXTS && !err; i++)
        err = store_text_clean(&self->arena, *texts[i], STORE_TEXT_FIELD_MAX, texts[i]);
    if (err || !row->m.recipient.len)
        return err;
    err = store_address_hash(message->recipient, &hash);
    row->recipient_key = err ? 0 : store_hash_key(&hash);
    return err;
}

static enum dsnd_err send_set(struct write_span *self, const struct store_log_changes *log)
{
    struct message_row *rows = dsnd_arena_array(&self->arena, log->set_count + 1, sizeof(*rows));
    enum dsnd_err err = rows ? DSND_OK : DSND_ERR_NOMEM;

    for (size_t i = 0; i < log->set_count && !err; i++)
        err = make_row(self, &log->set[i], &rows[i]);
    if (err)
        return err;
    pg_params_clear(&self->params);
    pg_add_i64(&self->params, log->source_id);
    pg_add_rows(&self->params, columns, sizeof(columns) / sizeof(*columns), rows, sizeof(*rows),
                log->set_count);
    return pg_send(self->conn, STATEMENT_WRITE_LOG_SET, &self->params);
}

static enum dsnd_err send_removed(struct write_span *self, const struct store_log_changes *log)
{
    pg_params_clear(&self->params);
    pg_add_i64(&self->params, log->source_id);
    pg_array_begin(&self->params, PG_TEXT);
    for (size_t i = 0; i < log->removed_count; i++)
        pg_elem_octets(&self->params, log->removed[i]);
    pg_array_end(&self->params);
    return pg_send(self->conn, STATEMENT_WRITE_LOG_REMOVE, &self->params);
}

enum dsnd_err write_send_log(struct write_span *self, size_t *ret_sent)
{
    const struct store_log_changes *log = self->position.log;
    enum dsnd_err err;

    /* A part of a batch that was cut has no position of its own, and so no changes. */
    if (!log || !self->last)
        return DSND_OK;
    err = send_set(self, log);
    if (!err)
        err = send_removed(self, log);
    *ret_sent += 2;
    return err;
}
