#include "ingest/smtp_transaction.h"

#include <stdlib.h>

enum {
    ENVELOPE_MAX = 4 * 1024 * 1024, /* 1,000 recipients with the longest paths and ORCPT */
    ENVELOPE_CHARGE = 16 * 1024,    /* what the first text costs: one block of the arena */
};

void smtp_transaction_init(struct smtp_transaction *self, struct smtp_budget *budget,
                           struct smtp_share *share)
{
    *self = (struct smtp_transaction){
        .budget = budget,
        .share = share,
        .arena = DSND_ARENA_INIT(ENVELOPE_MAX),
        .content = DSND_BUF_INIT(0),
    };
}

void smtp_transaction_clear(struct smtp_transaction *self)
{
    struct smtp_budget *budget = self->budget;
    struct smtp_share *share = self->share;

    dsnd_arena_done(&self->arena);
    dsnd_buf_done(&self->content);
    free(self->recipients);
    smtp_budget_give(budget, share, self->charged);
    smtp_transaction_init(self, budget, share);
}

static bool charge(struct smtp_transaction *self, size_t octets)
{
    if (!smtp_budget_take(self->budget, self->share, octets))
        return false;
    self->charged += octets;
    return true;
}

enum dsnd_err smtp_transaction_begin(struct smtp_transaction *self, struct dsnd_str mail_from,
                                     const struct smtp_mail_params *params, uint64_t max_octets)
{
    enum dsnd_err err = DSND_ERR_NOMEM;

    if (!charge(self, ENVELOPE_CHARGE))
        goto out;
    self->params = *params;
    err = dsnd_arena_copy(&self->arena, mail_from, &self->mail_from);
    if (err)
        goto out;
    err = dsnd_arena_copy(&self->arena, params->envelope_id, &self->params.envelope_id);
    if (err)
        goto out;
    self->content.max = max_octets < SIZE_MAX ? (size_t)max_octets : SIZE_MAX;
out:
    if (err)
        smtp_transaction_clear(self);
    return err;
}

static enum dsnd_err recipient_room(struct smtp_transaction *self)
{
    size_t room = self->recipient_room ? self->recipient_room * 2 : 4;
    struct journal_recipient *grown;

    if (self->recipient_count < self->recipient_room)
        return DSND_OK;
    if (!charge(self, (room - self->recipient_room) * sizeof(*grown)))
        return DSND_ERR_NOMEM;
    grown = reallocarray(self->recipients, room, sizeof(*grown));
    if (!grown)
        return DSND_ERR_NOMEM;
    self->recipients = grown;
    self->recipient_room = room;
    return DSND_OK;
}

enum dsnd_err smtp_transaction_recipient(struct smtp_transaction *self, struct dsnd_str address,
                                         const struct smtp_rcpt_params *params)
{
    struct journal_recipient recipient = {.notify = params->notify};
    enum dsnd_err err = recipient_room(self);

    if (err)
        return err;
    if (!charge(self, address.len + params->original_recipient.len))
        return DSND_ERR_NOMEM;
    err = dsnd_arena_copy(&self->arena, address, &recipient.address);
    if (err)
        return err;
    err = dsnd_arena_copy(&self->arena, params->original_recipient, &recipient.original_recipient);
    if (err)
        return err;
    self->recipients[self->recipient_count++] = recipient;
    return DSND_OK;
}

void smtp_transaction_put(struct smtp_transaction *self, struct dsnd_str octets)
{
    enum dsnd_err err;

    self->octets += octets.len;
    if (self->failure)
        return;
    err = dsnd_buf_add(&self->content, octets);
    if (self->content.size > self->content_charged) {
        if (charge(self, self->content.size - self->content_charged))
            self->content_charged = self->content.size;
        else
            err = DSND_ERR_NOMEM;
    }
    if (!err)
        return;
    self->failure = err;
    smtp_transaction_drop_content(self);
}

/* What the octet at `i` becomes; absent: it is in order. */
static struct dsnd_str mend(const struct dsnd_buf *text, size_t i)
{
    if (text->ptr[i] == '\n' && (!i || text->ptr[i - 1] != '\r'))
        return DSND_STR("\r\n");
    if (text->ptr[i] == '\r' && (i + 1 == text->len || text->ptr[i + 1] != '\n'))
        return DSND_STR(" ");
    return DSND_STR_ABSENT;
}

void smtp_transaction_normalize(struct smtp_transaction *self)
{
    struct dsnd_buf old = self->content;
    size_t old_charged = self->content_charged;
    size_t start = 0; /* of octets in order that are not copied yet */

    self->content = DSND_BUF_INIT(old.max);
    self->content_charged = 0;
    for (size_t i = 0; i < old.len && !self->failure; i++) {
        struct dsnd_str mended = mend(&old, i);

        if (!dsnd_str_present(mended))
            continue;
        smtp_transaction_put(self, dsnd_str_make(old.ptr + start, i - start));
        smtp_transaction_put(self, mended);
        start = i + 1;
    }
    if (!self->failure)
        smtp_transaction_put(self, dsnd_str_make(old.ptr + start, old.len - start));
    dsnd_buf_done(&old);
    smtp_budget_give(self->budget, self->share, old_charged);
    self->charged -= old_charged;
}

void smtp_transaction_drop_content(struct smtp_transaction *self)
{
    dsnd_buf_done(&self->content);
    smtp_budget_give(self->budget, self->share, self->content_charged);
    self->charged -= self->content_charged;
    self->content_charged = 0;
}
