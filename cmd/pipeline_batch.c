#include "cmd/pipeline_batch.h"

#include <stdlib.h>
#include <string.h>

enum dsnd_err pipeline_batch_new(size_t max_items, struct pipeline_batch **ret_batch)
{
    struct pipeline_batch *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    self->items = calloc(max_items, sizeof(*self->items));
    if (!self->items) {
        free(self);
        return DSND_ERR_NOMEM;
    }
    self->max = max_items;
    self->arena = DSND_ARENA_INIT(0);
    *ret_batch = self;
    return DSND_OK;
}

void pipeline_batch_free(struct pipeline_batch *self)
{
    if (!self)
        return;
    dsnd_arena_done(&self->arena);
    free(self->items);
    free(self);
}

void pipeline_batch_clear(struct pipeline_batch *self)
{
    dsnd_arena_clear(&self->arena);
    self->count = 0;
    self->octets = 0;
}

bool pipeline_batch_full(const struct pipeline_batch *self)
{
    return self->count == self->max || self->octets >= BATCH_OCTETS_MAX;
}

/* The envelope's recipients and what their return paths say. */
static enum dsnd_err copy_recipients(struct dsnd_arena *arena,
                                     const struct pipeline_context *context,
                                     const struct journal_message *message, struct store_item *item)
{
    struct dsnd_str *to = dsnd_arena_array(arena, message->recipient_count, sizeof(*to));
    struct return_path *paths = dsnd_arena_array(arena, message->recipient_count, sizeof(*paths));
    enum dsnd_err err = to && paths ? DSND_OK : DSND_ERR_NOMEM;

    for (size_t i = 0; i < message->recipient_count && !err; i++) {
        err = dsnd_arena_copy(arena, message->recipients[i].address, &to[i]);
        return_path_verify(context->keys, message->recipients[i].address, message->received_us,
                           context->max_age_us, &paths[i]);
    }
    item->envelope_to = to;
    item->return_paths = paths;
    item->envelope_to_count = message->recipient_count;
    return err;
}

static enum dsnd_err copy_message(struct dsnd_arena *arena, const struct pipeline_context *context,
                                  const struct journal_message *message, struct store_item *item)
{
    const struct {
        struct dsnd_str from;
        struct dsnd_str *to;
    } copies[] = {
        {message->peer, &item->peer},           {message->helo, &item->helo},
        {message->mail_from, &item->mail_from}, {message->envelope_id, &item->envelope_id},
        {message->octets, &item->octets},
    };
    enum dsnd_err err = DSND_OK;

    item->received_us = message->received_us;
    item->source = (int)message->source;
    item->tls = message->tls;
    for (size_t i = 0; i < sizeof(copies) / sizeof(*copies) && !err; i++)
        err = dsnd_arena_copy(arena, copies[i].from, copies[i].to);
    if (!err)
        err = copy_recipients(arena, context, message, item);
    return err;
}

/* What the copies of one record may take: octets of all its views and fixed parts, rounded up. */
static size_t copy_cap(const struct journal_message *message)
{
    size_t sum = 64 * 1024 + message->octets.len + message->peer.len + message->helo.len +
                 message->mail_from.len + message->envelope_id.len;

    for (size_t i = 0; i < message->recipient_count; i++)
        sum += message->recipients[i].address.len + 64 + sizeof(struct return_path) +
               sizeof(struct dsnd_str);
    return sum;
}

enum dsnd_err pipeline_batch_add(struct pipeline_batch *self,
                                 const struct pipeline_context *context,
                                 const struct journal_record *record,
                                 enum store_quarantine quarantine)
{
    struct store_item item = {.sequence = record->sequence, .quarantine = quarantine};
    struct report *report;
    enum dsnd_err err;

    self->arena.max = self->arena.used + copy_cap(&record->message);
    err = copy_message(&self->arena, context, &record->message, &item);
    if (err)
        return err;
    self->arena.max = self->arena.used + BATCH_MESSAGE_ARENA;
    report = dsnd_arena_alloc(&self->arena, sizeof(*report));
    if (!report)
        return DSND_ERR_NOMEM;
    if (quarantine == STORE_QUARANTINE_NONE) {
        err = parser_run(context->parser, item.octets, &self->arena, report);
        if (err)
            item.quarantine = STORE_QUARANTINE_TOO_LARGE;
        else
            item.report = report;
    }
    self->items[self->count++] = item;
    self->octets += item.octets.len;
    self->position = record->after;
    return DSND_OK;
}
