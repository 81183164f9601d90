/*
 * Which campaign and delivery a report is about, and how far it may be believed. Anyone can write
 * anything into a report, and everyone holds the return path of the mail he himself received: so a
 * signature proves the address it was made for, and nothing else does but what only the sender and
 * the recipient know.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/write_span.h"

/* The registered send of a signed path; false if there is none. */
static bool find_send_by_ref(struct write_span *self, struct write_item *w)
{
    const PGresult *rows = self->found[WRITE_LOOKUP_SEND_BY_REF];
    struct dsnd_str campaign = dsnd_str_of(w->path->campaign);
    struct dsnd_str ref = dsnd_str_of(w->path->ref);
    int row = write_find(rows, 0, campaign);

    w->send_ref = ref;
    for (; row >= 0 && row < PQntuples(rows) && dsnd_str_eq(pg_str(rows, row, 0), campaign); row++)
        if (dsnd_str_eq(pg_str(rows, row, 1), ref)) {
            w->send_recipient = pg_str(rows, row, 2);
            return true;
        }
    return false;
}

static int compare_refs(const struct write_item *a, const struct write_item *b)
{
    int order = strcmp(a->path->campaign, b->path->campaign);

    return order ? order : strcmp(a->path->ref, b->path->ref);
}

static int compare_own(const void *left, const void *right)
{
    const struct write_item *a = *(const struct write_item *const *)left;
    const struct write_item *b = *(const struct write_item *const *)right;
    int order = compare_refs(a, b);

    if (order)
        return order;
    return a < b ? -1 : a > b;
}

/*
 * Nobody registered whose the sender's own ref is, but the sender's own server tells whom it went
 * to. Who received the message could send another by its return path only after that. So the first
 * item that registers it says it for those behind it, as it would in a batch before theirs.
 */
static void explain_refs(struct write_item **own, size_t count)
{
    const struct write_item *first = NULL;

    /* NOLINTNEXTLINE(bugprone-sizeof-expression): the array is one of pointers */
    qsort(own, count, sizeof(*own), compare_own);
    for (size_t i = 0; i < count; i++) {
        if (first && compare_refs(first, own[i]) != 0)
            first = NULL;
        if (!first && own[i]->item.registers)
            first = own[i];
        if (first && first->report.recipient_count == 1)
            own[i]->send_recipient = first->report.recipients[0].recipient;
    }
}

static int64_t campaign_of(const struct write_span *self, struct dsnd_str key)
{
    const PGresult *rows = self->found[WRITE_LOOKUP_CAMPAIGN];
    int row = write_find(rows, 0, key);

    return row < 0 ? 0 : pg_i64(rows, row, 1);
}

/* The campaign in which `id` was registered; the send itself where it is the only one. */
static bool by_registered_id(const PGresult *rows, struct dsnd_str id, struct write_item *w)
{
    int row = id.len ? write_find(rows, 0, id) : -1;
    bool only;

    if (row < 0)
        return false;
    only = row + 1 == PQntuples(rows) || !dsnd_str_eq(pg_str(rows, row + 1, 0), id);
    w->campaign_id = pg_i64(rows, row, 1);
    if (only) {
        w->send_ref = pg_str(rows, row, 2);
        w->send_recipient = pg_str(rows, row, 3);
    }
    return true;
}

static bool by_key(struct write_span *self, struct write_item *w, size_t from, size_t to)
{
    for (size_t i = from; i < to && !w->campaign_id; i++)
        w->campaign_id = campaign_of(self, w->keys[i]);
    return w->campaign_id != 0;
}

static void attribute_unsigned(struct write_span *self, struct write_item *w)
{
    const PGresult *messages = self->found[WRITE_LOOKUP_SEND_BY_MESSAGE];
    const PGresult *envelopes = self->found[WRITE_LOOKUP_SEND_BY_ENVELOPE];
    struct write_item message = *w;

    if (by_registered_id(envelopes, w->report.envelope_id, w)) {
        w->attribution = STORE_ATTRIBUTION_ENVELOPE_ID;
    } else if (by_key(self, w, 0, w->envelope_key_count)) {
        w->attribution = STORE_ATTRIBUTION_ENVELOPE_ID;
        w->send_ref = w->key_ref;
    } else if (by_key(self, w, w->envelope_key_count, w->key_count)) {
        w->attribution = STORE_ATTRIBUTION_HEADER;
    } else if (by_registered_id(messages, w->report.returned.message_id, w)) {
        w->attribution = STORE_ATTRIBUTION_MESSAGE_ID;
    }
    /* A header names the campaign only; the Message-ID may still tell the very send. */
    if (!dsnd_str_present(w->send_ref) && w->attribution != STORE_ATTRIBUTION_NONE &&
        by_registered_id(messages, w->report.returned.message_id, &message) &&
        message.campaign_id == w->campaign_id) {
        w->send_ref = message.send_ref;
        w->send_recipient = message.send_recipient;
    }
}

/* `address` is the one for which the signed path was made. */
static bool proves(const struct write_item *w, struct dsnd_str address)
{
    if (!address.len)
        return false;
    if (w->path->ref_is_hash)
        return return_path_proves(w->path, address);
    return dsnd_str_present(w->send_recipient) && dsnd_str_ieq(address, w->send_recipient);
}

/* A person writes about others' mail to whom he likes, and forwards what he got himself. */
static bool is_by_person(const struct write_item *w)
{
    return w->report.is_by_anybody && w->item.mail_from.len;
}

static void judge_signed(const struct write_item *w, struct write_status *s)
{
    const struct dsnd_str others[] = {s->recipient->original_recipient, w->report.returned.to,
                                      s->recipient->final_recipient, w->send_recipient};

    if (proves(w, s->recipient->recipient)) {
        s->evidence = STORE_EVIDENCE_SIGNED;
        s->proven = s->recipient->recipient;
        return;
    }
    if (!w->path->ref_is_hash && !dsnd_str_present(w->send_recipient)) {
        s->evidence = STORE_EVIDENCE_SIGNED_REF;
        return;
    }
    if (is_by_person(w))
        return;
    s->evidence = STORE_EVIDENCE_SIGNED_OTHER;
    if (w->item.registers) /* our own server means whom it names */
        return;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        if (!proves(w, others[i]))
            continue;
        s->proven = others[i];
        return;
    }
}

/* An id that was registered for exactly this recipient and no other. */
static void judge_unsigned(const struct write_item *w, struct write_status *s)
{
    const struct dsnd_str named[] = {s->recipient->recipient, s->recipient->original_recipient,
                                     s->recipient->final_recipient};

    for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
        if (!dsnd_str_present(w->send_recipient) || !dsnd_str_ieq(named[i], w->send_recipient))
            continue;
        s->evidence = STORE_EVIDENCE_MATCHED;
        s->proven = w->send_recipient;
        return;
    }
}

/* The ref of the only send of the item's campaign that was registered for this address. */
static struct dsnd_str registered_ref(const struct write_span *self, const struct write_item *w,
                                      const struct write_status *s)
{
    const PGresult *rows = self->found[WRITE_LOOKUP_SEND_BY_RECIPIENT];
    struct dsnd_str ref = DSND_STR_ABSENT;
    int low = 0;
    int high = PQntuples(rows);

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (pg_i64(rows, middle, 0) < s->key)
            low = middle + 1;
        else
            high = middle;
    }
    for (; s->key && low < PQntuples(rows) && pg_i64(rows, low, 0) == s->key; low++) {
        if (pg_i64(rows, low, 1) != w->campaign_id)
            continue;
        if (dsnd_str_present(ref))
            return DSND_STR_ABSENT;
        ref = pg_str(rows, low, 2);
    }
    return ref;
}

/*
 * Of several signed envelope recipients the one that was made for this status, other than the one
 * the item is attributed by; NULL if none. Only within the campaign of the report.
 */
static const struct return_path *own_path(const struct write_span *self, const struct write_item *w,
                                          const struct write_status *s)
{
    struct dsnd_str ref = registered_ref(self, w, s);

    if (w->attribution != STORE_ATTRIBUTION_RETURN_PATH || !s->recipient->recipient.len)
        return NULL;
    for (size_t i = 0; i < w->item.envelope_to_count; i++) {
        const struct return_path *path = &w->item.return_paths[i];

        if (path == w->path || path->verdict != RETURN_PATH_SIGNED ||
            strcmp(path->campaign, w->path->campaign) != 0)
            continue;
        if (path->ref_is_hash ? return_path_proves(path, s->recipient->recipient)
                              : dsnd_str_eq(dsnd_str_of(path->ref), ref))
            return path;
    }
    return NULL;
}

/* Does the send found by an id concern this status? Of several recipients it does the named one. */
static bool concerns(const struct write_item *w, const struct write_status *s)
{
    if (w->path)
        return s->evidence != STORE_EVIDENCE_NONE;
    if (w->status_count == 1 || !dsnd_str_present(w->send_recipient))
        return true;
    return dsnd_str_ieq(s->recipient->recipient, w->send_recipient) ||
           dsnd_str_ieq(s->recipient->original_recipient, w->send_recipient) ||
           dsnd_str_ieq(s->recipient->final_recipient, w->send_recipient);
}

/* ':' and 13 characters: a name in no return path, made of what tells this message from others. */
static enum dsnd_err make_ref(struct write_span *self, struct dsnd_str address, struct dsnd_str id,
                              struct dsnd_str *ret_ref)
{
    struct store_hash hash = {{0}};
    struct dsnd_str parts[2] = {
        {(const char *)hash.octets, sizeof(hash.octets)},
        id,
    };
    char ref[RETURN_PATH_REF_MAX + 1];
    enum dsnd_err err = store_address_hash(address, &hash);

    if (!err)
        err = store_hash_of(parts, 2, &hash);
    if (!err)
        err = return_path_default_ref(parts[0], ref);
    if (err)
        return err;
    ref[0] = ':';
    return dsnd_arena_copy(&self->arena, dsnd_str_of(ref), ret_ref);
}

static enum dsnd_err name_delivery(struct write_span *self, const struct write_item *w,
                                   struct write_status *s)
{
    struct dsnd_str recipient = s->recipient->recipient;
    char ref[RETURN_PATH_REF_MAX + 1];

    if (w->campaign_id && dsnd_str_present(w->send_ref) && concerns(w, s)) {
        s->ref = w->send_ref;
        return DSND_OK;
    }
    if (w->campaign_id && !w->path)
        s->ref = registered_ref(self, w, s);
    if (dsnd_str_present(s->ref))
        return DSND_OK;
    if (!recipient.len)
        return make_ref(self, DSND_STR_ABSENT,
                        dsnd_str_make((const char *)w->hash.octets, sizeof(w->hash.octets)),
                        &s->ref);
    /* Without a campaign the same address may stand for many messages over the years; and what is
     * too long for an address has no default ref. */
    if (!w->campaign_id || return_path_default_ref(recipient, ref) != DSND_OK)
        return make_ref(self, recipient, w->report.returned.message_id, &s->ref);
    return dsnd_arena_copy(&self->arena, dsnd_str_of(ref), &s->ref);
}

static int64_t minted_us(const struct return_path *path)
{
    return path ? ((int64_t)path->day + WRITE_DAY_ZERO) * DSND_US_PER_DAY : 0;
}

static enum dsnd_err attribute_status(struct write_span *self, const struct write_item *w,
                                      struct write_status *s)
{
    const struct return_path *own = NULL;

    s->proven = DSND_STR_ABSENT;
    s->ref = DSND_STR_ABSENT;
    if (w->path)
        judge_signed(w, s);
    else if (w->attribution == STORE_ATTRIBUTION_MESSAGE_ID || dsnd_str_present(w->send_recipient))
        judge_unsigned(w, s);
    s->moves = delivery_event_of(&w->report, s->recipient, &s->event);
    s->event.us = w->item.received_us;
    s->event.status_id = s->id;
    s->event.minted_us = minted_us(w->path);
    if (w->path && s->evidence != STORE_EVIDENCE_SIGNED && w->item.envelope_to_count > 1)
        own = own_path(self, w, s);
    if (!own)
        return name_delivery(self, w, s);
    s->evidence = STORE_EVIDENCE_SIGNED;
    s->proven = s->recipient->recipient;
    s->ref = dsnd_str_of(own->ref);
    s->event.minted_us = minted_us(own);
    return DSND_OK;
}

/* Campaigns and sends of all items. */
static enum dsnd_err find_sends(struct write_span *self)
{
    struct write_item **own =
        dsnd_arena_array(&self->arena, self->count + 1, sizeof(struct write_item *));
    size_t count = 0;

    if (!own)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < self->count; i++) {
        struct write_item *w = &self->items[i];

        w->send_ref = DSND_STR_ABSENT;
        w->send_recipient = DSND_STR_ABSENT;
        if (w->fate != WRITE_FATE_STORED)
            continue;
        if (w->path) {
            w->campaign_id = campaign_of(self, dsnd_str_of(w->path->campaign));
            if (!find_send_by_ref(self, w) && !w->path->ref_is_hash)
                own[count++] = w;
        } else if (!w->is_refused) {
            attribute_unsigned(self, w);
        }
    }
    explain_refs(own, count);
    return DSND_OK;
}

enum dsnd_err write_attribute(struct write_span *self)
{
    enum dsnd_err err = find_sends(self);

    for (size_t i = 0; i < self->count && !err; i++) {
        struct write_item *w = &self->items[i];

        if (w->fate != WRITE_FATE_STORED)
            continue;
        for (size_t i_status = 0; i_status < w->status_count && !err; i_status++) {
            struct write_status *s = &w->statuses[i_status];

            err = attribute_status(self, w, s);
            s->counts = s->moves && s->evidence >= self->policy->min_evidence;
        }
    }
    return err;
}
