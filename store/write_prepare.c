#include <string.h>

#include "store/text.h"
#include "store/write_span.h"

/* Campaign keys are sought in this much of a header. */
enum { KEYS_PER_HINT_MAX = 8, KEYS_MAX = 2 + REPORT_HINT_MAX * KEYS_PER_HINT_MAX };

static bool is_key(struct dsnd_str s, size_t max)
{
    if (s.len == 0 || s.len > max)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = dsnd_lower(s.ptr[i]);

        if (!dsnd_is_alpha(c) && !dsnd_is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

static enum dsnd_err lower(struct dsnd_arena *arena, struct dsnd_str s, struct dsnd_str *ret_lower)
{
    char *out = dsnd_arena_alloc(arena, s.len + 1);

    if (!out)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < s.len; i++)
        out[i] = dsnd_lower(s.ptr[i]);
    *ret_lower = dsnd_str_make(out, s.len);
    return DSND_OK;
}

static enum dsnd_err add_key(struct write_span *self, struct write_item *w, struct dsnd_str key)
{
    key = dsnd_str_trim(key);
    if (w->key_count == KEYS_MAX || !is_key(key, RETURN_PATH_CAMPAIGN_MAX))
        return DSND_OK;
    return lower(&self->arena, key, &w->keys[w->key_count++]);
}

/*
 * Where a key may stand in a header: all of it; one of the parts between colons (Feedback-ID);
 * between < and > all of it or the label before the first dot (List-Id, RFC 2919).
 */
static enum dsnd_err add_hint(struct write_span *self, struct write_item *w, struct dsnd_str value)
{
    size_t open = dsnd_str_rchr(value, '<');
    enum dsnd_err err = add_key(self, w, value);

    if (!err && open != SIZE_MAX) {
        struct dsnd_str inner = dsnd_str_slice(value, open + 1, value.len);
        struct dsnd_str label;

        inner = dsnd_str_cut(&inner, '>');
        err = add_key(self, w, inner);
        label = dsnd_str_cut(&inner, '.');
        return err ? err : add_key(self, w, label);
    }
    for (int i = 0; i < KEYS_PER_HINT_MAX - 1 && !err && dsnd_str_present(value); i++)
        err = add_key(self, w, dsnd_str_cut(&value, ':'));
    return err;
}

/* An envelope id may be a campaign key, or key.ref as in our return paths. */
static enum dsnd_err add_envelope_id(struct write_span *self, struct write_item *w)
{
    struct dsnd_str rest = w->report.envelope_id;
    struct dsnd_str key;
    enum dsnd_err err;

    if (!dsnd_str_present(rest))
        return DSND_OK;
    key = dsnd_str_cut(&rest, '.');
    if (dsnd_str_present(rest) && !is_key(rest, RETURN_PATH_REF_MAX))
        return DSND_OK;
    err = add_key(self, w, key);
    w->envelope_key_count = w->key_count;
    if (err || !dsnd_str_present(rest) || !w->key_count)
        return err;
    return lower(&self->arena, rest, &w->key_ref);
}

static enum dsnd_err collect_keys(struct write_span *self, struct write_item *w)
{
    enum dsnd_err err;

    w->keys = dsnd_arena_array(&self->arena, KEYS_MAX, sizeof(*w->keys));
    if (!w->keys)
        return DSND_ERR_NOMEM;
    err = add_envelope_id(self, w);
    for (size_t i = 0; i < w->report.returned.hint_count && !err; i++)
        err = add_hint(self, w, w->report.returned.hints[i].value);
    return err;
}

/* A return path of ours in a text of the report; NULL unless it is signed and in force. */
static enum dsnd_err verify(struct write_span *self, const struct write_item *w,
                            struct dsnd_str text, const struct return_path **ret_path)
{
    struct return_path path;
    struct return_path *kept;

    if (!text.len || !self->policy->keys)
        return DSND_OK;
    return_path_verify(self->policy->keys, text, w->item.received_us,
                       self->policy->return_path_max_age_us, &path);
    if (path.verdict != RETURN_PATH_SIGNED)
        return DSND_OK;
    kept = dsnd_arena_alloc(&self->arena, sizeof(*kept));
    if (!kept)
        return DSND_ERR_NOMEM;
    *kept = path;
    *ret_path = kept;
    return DSND_OK;
}

/* A signature outranks whatever else the report says: the envelope's first, then those inside. */
static enum dsnd_err find_path(struct write_span *self, struct write_item *w)
{
    enum dsnd_err err;

    w->attribution = STORE_ATTRIBUTION_RETURN_PATH;
    for (size_t i = 0; i < w->item.envelope_to_count; i++) {
        if (w->item.return_paths[i].verdict != RETURN_PATH_SIGNED)
            continue;
        w->path = &w->item.return_paths[i];
        return DSND_OK;
    }
    w->attribution = STORE_ATTRIBUTION_RETURNED;
    err = verify(self, w, w->report.returned.return_path, &w->path);
    if (err || w->path)
        return err;
    w->attribution = STORE_ATTRIBUTION_ENVELOPE_ID;
    err = verify(self, w, w->report.envelope_id, &w->path);
    if (!w->path)
        w->attribution = STORE_ATTRIBUTION_NONE;
    return err;
}

/* Our return path, but forged or expired, and no better one beside it. */
static bool is_refused(const struct write_item *w)
{
    bool found = false;

    for (size_t i = 0; i < w->item.envelope_to_count && !w->path; i++)
        found |= w->item.return_paths[i].verdict == RETURN_PATH_FORGED ||
                 w->item.return_paths[i].verdict == RETURN_PATH_EXPIRED;
    return found;
}

static enum dsnd_err clean_parameters(struct write_span *self, struct write_item *w)
{
    size_t count = w->item.envelope_to_count + 1;
    struct dsnd_str *texts = dsnd_arena_array(&self->arena, count, sizeof(*texts));
    enum dsnd_err err = texts ? DSND_OK : DSND_ERR_NOMEM;

    for (size_t i = 0; i < count && !err; i++)
        err = store_text_clean(&self->arena, w->item.envelope_parameters[i], STORE_TEXT_ADDRESS_MAX,
                               &texts[i]);
    w->item.envelope_parameters = texts;
    return err;
}

static enum dsnd_err clean_envelope(struct write_span *self, struct write_item *w)
{
    enum { ENVELOPE_TEXTS = 4 };
    struct dsnd_str *const texts[ENVELOPE_TEXTS] = {&w->item.peer, &w->item.helo,
                                                    &w->item.mail_from, &w->item.envelope_id};
    struct dsnd_str *to;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < ENVELOPE_TEXTS && !err; i++)
        err = store_text_clean(&self->arena, *texts[i], STORE_TEXT_ADDRESS_MAX, texts[i]);
    to = dsnd_arena_array(&self->arena, w->item.envelope_to_count + 1, sizeof(*to));
    if (!to)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < w->item.envelope_to_count && !err; i++)
        err =
            store_text_clean(&self->arena, w->item.envelope_to[i], STORE_TEXT_ADDRESS_MAX, &to[i]);
    w->item.envelope_to = to;
    return err || !w->item.envelope_parameters ? err : clean_parameters(self, w);
}

/* A feedback report may name nobody (RFC 5965 has no such duty), yet it complains. */
static enum dsnd_err list_statuses(struct write_span *self, struct write_item *w)
{
    static struct report_recipient nobody; /* all absent */
    enum dsnd_err err = DSND_OK;
    bool virtual_one = w->report.kind == REPORT_KIND_ARF && !w->report.recipient_count;

    w->status_count = virtual_one ? 1 : w->report.recipient_count;
    self->status_count += w->status_count;
    if (!w->status_count)
        return DSND_OK;
    w->statuses = dsnd_arena_array(&self->arena, w->status_count, sizeof(*w->statuses));
    if (!w->statuses)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < w->status_count && !err; i++) {
        struct write_status *s = &w->statuses[i];
        struct store_hash hash;

        s->recipient = virtual_one ? &nobody : &w->report.recipients[i];
        if (!dsnd_str_present(s->recipient->recipient))
            continue;
        err = store_address_hash(s->recipient->recipient, &hash);
        s->key = err ? 0 : store_hash_key(&hash);
    }
    return err;
}

static enum dsnd_err prepare_item(struct write_span *self, const struct store_item *item,
                                  struct write_item *w)
{
    enum dsnd_err err;

    w->item = *item;
    w->key_ref = DSND_STR_ABSENT;
    err = store_content_hash(item->octets, item->envelope_to, item->envelope_to_count, &w->hash);
    if (!err)
        err = clean_envelope(self, w);
    if (err || !item->report || item->quarantine) {
        w->fate = WRITE_FATE_QUARANTINED;
        return err;
    }
    w->fate = WRITE_FATE_STORED;
    err = store_report_clean(&self->arena, item->report, &w->report);
    if (!err)
        err = find_path(self, w);
    w->is_refused = is_refused(w);
    if (!err && !w->path && !w->is_refused)
        err = collect_keys(self, w);
    return err ? err : list_statuses(self, w);
}

enum dsnd_err write_prepare(struct write_span *self, const struct store_item *items)
{
    enum dsnd_err err = DSND_OK;

    self->items = dsnd_arena_array(&self->arena, self->count, sizeof(*self->items));
    if (!self->items)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < self->count && !err; i++)
        err = prepare_item(self, &items[i], &self->items[i]);
    return err;
}
