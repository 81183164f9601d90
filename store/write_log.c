#include "store/text.h"
#include "store/write_span.h"

#define AT(member) offsetof(struct store_log_message, member)

/* In the order of WRITE_LOG_SET. */
static const struct pg_column columns[] = {
    {PG_KIND_TEXT, AT(queue_id)},
    {PG_KIND_TEXT, AT(sender)},
    {PG_KIND_TEXT, AT(message_id)},
    {PG_KIND_TIME_OR_NULL, AT(queued_us)},
};

struct waiting_row {
    struct dsnd_str queue_id;
    struct store_log_waiting w;
    int64_t recipient_key;
};

#define WAITING(member) offsetof(struct waiting_row, member)

/* In the order of WRITE_LOG_WAITING. */
static const struct pg_column waiting_columns[] = {
    {PG_KIND_TEXT, WAITING(queue_id)},
    {PG_KIND_TEXT, WAITING(w.recipient)},
    {PG_KIND_I64_OR_NULL, WAITING(recipient_key)},
    {PG_KIND_TEXT, WAITING(w.remote_mta)},
    {PG_KIND_TEXT, WAITING(w.diagnostic)},
};

static enum dsnd_err clean(struct write_span *self, struct dsnd_str *const *texts, size_t count)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < count && !err; i++)
        err = store_text_clean(&self->arena, *texts[i], STORE_TEXT_FIELD_MAX, texts[i]);
    return err;
}

static enum dsnd_err make_row(struct write_span *self, const struct store_log_message *message,
                              struct store_log_message *row)
{
    enum { TEXTS = 3 };
    struct dsnd_str *const texts[TEXTS] = {&row->queue_id, &row->sender, &row->message_id};

    *row = *message;
    return clean(self, texts, TEXTS);
}

static enum dsnd_err make_waiting(struct write_span *self, struct dsnd_str queue_id,
                                  const struct store_log_waiting *waiting, struct waiting_row *row)
{
    enum { TEXTS = 4 };
    struct dsnd_str *const texts[TEXTS] = {&row->queue_id, &row->w.recipient, &row->w.remote_mta,
                                           &row->w.diagnostic};
    struct store_hash hash;

    *row = (struct waiting_row){.queue_id = queue_id, .w = *waiting};
    if (store_address_hash(waiting->recipient, &hash) == DSND_OK)
        row->recipient_key = store_hash_key(&hash);
    return clean(self, texts, TEXTS);
}

static enum dsnd_err send_set(struct write_span *self, const struct store_log_changes *log)
{
    struct store_log_message *rows =
        dsnd_arena_array(&self->arena, log->set_count + 1, sizeof(*rows));
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

/* Who waits for the messages whose list has changed is written anew. */
static enum dsnd_err send_waited(struct write_span *self, const struct store_log_changes *log)
{
    pg_params_clear(&self->params);
    pg_add_i64(&self->params, log->source_id);
    pg_array_begin(&self->params, PG_TEXT);
    for (size_t i = 0; i < log->set_count; i++)
        if (log->set[i].waits_anew)
            pg_elem_octets(&self->params, log->set[i].queue_id);
    pg_array_end(&self->params);
    return pg_send(self->conn, STATEMENT_WRITE_LOG_WAITED, &self->params);
}

static enum dsnd_err send_waiting(struct write_span *self, const struct store_log_changes *log)
{
    struct waiting_row *rows;
    size_t count = 0;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < log->set_count; i++)
        count += log->set[i].waits_anew ? log->set[i].waiting_count : 0;
    rows = dsnd_arena_array(&self->arena, count + 1, sizeof(*rows));
    if (!rows)
        return DSND_ERR_NOMEM;
    count = 0;
    for (size_t i = 0; i < log->set_count; i++) {
        const struct store_log_message *m = &log->set[i];

        for (size_t w = 0; m->waits_anew && w < m->waiting_count && !err; w++)
            err = make_waiting(self, m->queue_id, &m->waiting[w], &rows[count++]);
    }
    if (err)
        return err;
    pg_params_clear(&self->params);
    pg_add_i64(&self->params, log->source_id);
    pg_add_rows(&self->params, waiting_columns, sizeof(waiting_columns) / sizeof(*waiting_columns),
                rows, sizeof(*rows), count);
    return pg_send(self->conn, STATEMENT_WRITE_LOG_WAITING, &self->params);
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
        err = send_waited(self, log);
    if (!err)
        err = send_waiting(self, log);
    if (!err)
        err = send_removed(self, log);
    *ret_sent += 4;
    return err;
}
