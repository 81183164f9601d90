#include "cmd/pipeline_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "relay/receipt.h"

enum {
    PARAMETERS_SIZE = 640, /* ORCPT has 500 octets at most, RFC 3461 section 4.2 */
    COPY_SPARE = 64 * 1024,
    RECEIPT_ID_SIZE = sizeof("receipt.") + 16 + 1 + 16,
};

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

/* "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.example" (RFC 3461 section 4), empty when not given. */
static enum dsnd_err format_recipient(struct dsnd_arena *arena,
                                      const struct journal_recipient *recipient,
                                      struct dsnd_str *ret_text)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{JOURNAL_NOTIFY_NEVER, "NEVER"},
                 {JOURNAL_NOTIFY_SUCCESS, "SUCCESS"},
                 {JOURNAL_NOTIFY_FAILURE, "FAILURE"},
                 {JOURNAL_NOTIFY_DELAY, "DELAY"}};
    char room[PARAMETERS_SIZE] = "";
    size_t len = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (recipient->notify & names[i].bit)
            len += (size_t)snprintf(room + len, sizeof(room) - len, "%s%s",
                                    len ? "," : "NOTIFY=", names[i].name);
    if (recipient->original_recipient.len) {
        int more = snprintf(room + len, sizeof(room) - len, "%sORCPT=%.*s", len ? " " : "",
                            DSND_STR_ARG(recipient->original_recipient));

        len += (size_t)more < sizeof(room) - len ? (size_t)more : sizeof(room) - len - 1;
    }
    return dsnd_arena_copy(arena, dsnd_str_make(room, len), ret_text);
}

/* What RFC 3461 adds to the envelope; nothing where no parameter was given. */
static enum dsnd_err copy_parameters(struct dsnd_arena *arena,
                                     const struct journal_message *message, struct store_item *item)
{
    static const char *const ret[] = {"", "RET=FULL", "RET=HDRS"};
    bool given = message->ret;
    struct dsnd_str *texts;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < message->recipient_count; i++)
        given |= message->recipients[i].notify || message->recipients[i].original_recipient.len;
    if (!given)
        return DSND_OK;
    texts = dsnd_arena_array(arena, message->recipient_count + 1, sizeof(*texts));
    if (!texts)
        return DSND_ERR_NOMEM;
    texts[0] = dsnd_str_of(ret[message->ret < 3 ? message->ret : 0]);
    for (size_t i = 0; i < message->recipient_count && !err; i++)
        err = format_recipient(arena, &message->recipients[i], &texts[i + 1]);
    item->envelope_parameters = texts;
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
    return err ? err : copy_parameters(arena, message, item);
}

static bool wants_receipt(const struct journal_message *message,
                          const struct journal_recipient *recipient)
{
    return message->source == JOURNAL_SOURCE_SUBMISSION && message->mail_from.len &&
           (recipient->notify & JOURNAL_NOTIFY_SUCCESS);
}

static enum dsnd_err write_receipt(const struct pipeline_context *context,
                                   const struct journal_record *record,
                                   struct receipt_recipient *recipients, struct dsnd_buf *out)
{
    const struct journal_message *message = &record->message;
    char id[RECEIPT_ID_SIZE];
    struct receipt receipt = {
        .hostname = context->hostname,
        .sender = message->mail_from,
        .envelope_id = message->envelope_id,
        .helo = message->helo,
        .id = id,
        .received_us = message->received_us,
        .recipients = recipients,
        .octets = message->octets,
    };

    for (size_t i = 0; i < message->recipient_count; i++)
        if (wants_receipt(message, &message->recipients[i]))
            recipients[receipt.recipient_count++] = (struct receipt_recipient){
                message->recipients[i].address, message->recipients[i].original_recipient};
    if (!receipt.recipient_count)
        return DSND_OK;
    (void)snprintf(id, sizeof(id), "receipt.%.16s.%016llx", context->journal_id,
                   (unsigned long long)record->sequence);
    return receipt_write(&receipt, out);
}

/* Mail whose sender wants to hear of its delivery: that it is in the journal is its delivery. */
static enum dsnd_err add_receipt(struct dsnd_arena *arena, const struct pipeline_context *context,
                                 const struct journal_record *record, struct store_item *item)
{
    struct receipt_recipient *recipients;
    struct dsnd_buf out = DSND_BUF_INIT(RECEIPT_OCTETS_MAX);
    enum dsnd_err err = DSND_OK;

    if (record->message.source != JOURNAL_SOURCE_SUBMISSION || !record->message.recipient_count)
        return DSND_OK;
    recipients = calloc(record->message.recipient_count, sizeof(*recipients));
    if (!recipients)
        return DSND_ERR_NOMEM;
    err = write_receipt(context, record, recipients, &out);
    if (!err && out.len) {
        arena->max = arena->used + out.len + COPY_SPARE;
        err = dsnd_arena_copy(arena, dsnd_buf_str(&out), &item->receipt);
    }
    free(recipients);
    dsnd_buf_done(&out);
    /* A receipt that would be too long is none; it must not hold the mail up. */
    return err == DSND_ERR_LIMIT ? DSND_OK : err;
}

/* What the copies of one record may take: octets of all its views and fixed parts, rounded up. */
static size_t copy_cap(const struct journal_message *message)
{
    size_t sum = COPY_SPARE + message->octets.len + message->peer.len + message->helo.len +
                 message->mail_from.len + message->envelope_id.len;

    for (size_t i = 0; i < message->recipient_count; i++)
        sum += message->recipients[i].address.len + 64 + PARAMETERS_SIZE +
               sizeof(struct return_path) + sizeof(struct dsnd_str);
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
    if (!err)
        err = add_receipt(&self->arena, context, record, &item);
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
