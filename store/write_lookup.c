#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/write_span.h"

enum { SEEN_OCTETS = 16 }; /* of the content hash, as uuid */

static bool wanted(const struct write_item *w)
{
    return w->fate == WRITE_FATE_STORED;
}

/* Reports to be marked as seen, where their sequence is not stored yet. */
static void add_seen(struct write_span *self)
{
    struct pg_params *p = &self->params;

    pg_params_clear(p);
    pg_array_begin(p, PG_UUID);
    for (size_t i = 0; i < self->count; i++)
        if (wanted(&self->items[i]))
            pg_elem_octets(p, dsnd_str_make((const char *)self->items[i].hash.octets, SEEN_OCTETS));
    pg_array_end(p);
    pg_array_begin(p, PG_TIMESTAMPTZ);
    for (size_t i = 0; i < self->count; i++)
        if (wanted(&self->items[i]))
            pg_elem_time(p, self->items[i].item.received_us);
    pg_array_end(p);
    pg_array_begin(p, PG_INT8);
    for (size_t i = 0; i < self->count; i++)
        if (wanted(&self->items[i]))
            pg_elem_i64(p, (int64_t)self->items[i].item.sequence);
    pg_array_end(p);
    pg_add_text(p, dsnd_str_of(self->journal));
    pg_add_i64(p, self->policy->duplicate_window_us);
}

/* Campaigns and refs of signed return paths. */
static void add_signed(struct write_span *self, bool with_ref)
{
    struct pg_params *p = &self->params;

    pg_params_clear(p);
    pg_array_begin(p, PG_TEXT);
    for (size_t i = 0; i < self->count; i++)
        if (wanted(&self->items[i]) && self->items[i].path)
            pg_elem_octets(p, dsnd_str_of(self->items[i].path->campaign));
    pg_array_end(p);
    if (!with_ref)
        return;
    pg_array_begin(p, PG_TEXT);
    for (size_t i = 0; i < self->count; i++)
        if (wanted(&self->items[i]) && self->items[i].path)
            pg_elem_octets(p, dsnd_str_of(self->items[i].path->ref));
    pg_array_end(p);
}

static void add_campaigns(struct write_span *self)
{
    struct pg_params *p = &self->params;

    pg_params_clear(p);
    pg_array_begin(p, PG_TEXT);
    for (size_t i = 0; i < self->count; i++) {
        const struct write_item *w = &self->items[i];

        if (w->path)
            pg_elem_octets(p, dsnd_str_of(w->path->campaign));
        for (size_t k = 0; k < w->key_count; k++)
            pg_elem_octets(p, w->keys[k]);
    }
    pg_array_end(p);
}

static void add_id(struct write_span *self, const struct write_item *w, bool envelope)
{
    struct dsnd_str id = envelope ? w->report.envelope_id : w->report.returned.message_id;

    if (wanted(w) && !w->path && !w->is_refused && id.len)
        pg_elem_octets(&self->params, id);
}

/* Ids that registered sends may bear: of the returned message, or of its envelope. */
static void add_ids(struct write_span *self, bool envelope)
{
    struct pg_params *p = &self->params;

    pg_params_clear(p);
    pg_array_begin(p, PG_TEXT);
    for (size_t i = 0; i < self->count; i++)
        add_id(self, &self->items[i], envelope);
    pg_array_end(p);
}

/*
 * Campaign keys, Message-IDs and envelope ids, and the addresses of the reports that bear them: the
 * sends that were registered for these addresses. A signed path alone names its send itself.
 */
static void add_recipients(struct write_span *self)
{
    struct pg_params *p = &self->params;

    add_campaigns(self);
    for (int envelope = 0; envelope < 2; envelope++) {
        pg_array_begin(p, PG_TEXT);
        for (size_t i = 0; i < self->count; i++)
            add_id(self, &self->items[i], envelope);
        pg_array_end(p);
    }
    pg_array_begin(p, PG_INT8);
    for (size_t i = 0; i < self->count; i++) {
        const struct write_item *w = &self->items[i];
        bool asked = wanted(w) && !w->is_refused && (!w->path || w->item.envelope_to_count > 1);

        for (size_t s = 0; s < w->status_count && asked; s++)
            if (w->statuses[s].key)
                pg_elem_i64(p, w->statuses[s].key);
    }
    pg_array_end(p);
}

/* What attribution needs, and ids. */
static enum dsnd_err send_attribution(struct write_span *self, size_t id_count)
{
    struct pg_params *p = &self->params;
    enum dsnd_err err;

    add_signed(self, false);
    err = pg_send(self->conn, STATEMENT_WRITE_CAMPAIGN_ADD, p);
    add_campaigns(self);
    if (!err)
        err = pg_send(self->conn, STATEMENT_WRITE_CAMPAIGN_FIND, p);
    add_signed(self, true);
    if (!err)
        err = pg_send(self->conn, STATEMENT_WRITE_SEND_BY_REF, p);
    add_ids(self, false);
    if (!err)
        err = pg_send(self->conn, STATEMENT_WRITE_SEND_BY_MESSAGE, p);
    add_ids(self, true);
    if (!err)
        err = pg_send(self->conn, STATEMENT_WRITE_SEND_BY_ENVELOPE, p);
    add_recipients(self);
    if (!err)
        err = pg_send(self->conn, STATEMENT_WRITE_SEND_BY_RECIPIENT, p);
    pg_params_clear(p);
    pg_add_i32(p, (int32_t)id_count);
    if (!err)
        err = pg_send(self->conn, STATEMENT_WRITE_IDS, p);
    return err ? err : pg_sync(self->conn);
}

static enum dsnd_err send_all(struct write_span *self)
{
    struct pg_params *p = &self->params;
    enum dsnd_err err = pg_send(self->conn, STATEMENT_BEGIN, NULL);

    pg_params_clear(p);
    pg_add_text(p, dsnd_str_of(self->journal));
    if (!err)
        err = pg_send(self->conn, STATEMENT_WRITE_LOCK, p);
    add_seen(self);
    if (!err)
        err = pg_send(self->conn, STATEMENT_WRITE_SEEN, p);
    return err ? err : send_attribution(self, self->count + self->status_count);
}

static enum dsnd_err receive(struct write_span *self, int first)
{
    enum dsnd_err err = DSND_OK;

    for (int i = first; i < WRITE_LOOKUP_COUNT && !err; i++) {
        if (i == WRITE_LOOKUP_CAMPAIGN)
            err = pg_next(self->conn, NULL); /* campaigns added */
        if (!err)
            err = pg_next(self->conn, &self->found[i]);
    }
    return err ? err : pg_next_sync(self->conn);
}

int write_find(const PGresult *rows, int column, struct dsnd_str text)
{
    int low = 0;
    int high = PQntuples(rows);

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (dsnd_str_cmp(pg_str(rows, middle, column), text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == PQntuples(rows) || !dsnd_str_eq(pg_str(rows, low, column), text))
        return -1;
    return low;
}

static enum dsnd_err read_lock(struct write_span *self)
{
    const PGresult *lock = self->found[WRITE_LOOKUP_LOCK];
    int version;

    if (PQntuples(lock) == 0)
        return DSND_ERR_NOT_FOUND;
    self->journal_id = pg_i64(lock, 0, 0);
    self->stored = (uint64_t)pg_i64(lock, 0, 1);
    version = pg_i32(lock, 0, 4);
    if (version != store_schema_version) {
        pg_set_error(self->conn, "the schema became version %d, this program needs %d", version,
                     store_schema_version);
        return DSND_ERR_VERSION;
    }
    if (self->last && self->stored > self->position.sequence) {
        pg_set_error(self->conn, "another pipeline moved the journal to sequence %llu",
                     (unsigned long long)self->stored);
        return DSND_ERR_CONFLICT;
    }
    if (!self->last) { /* keeps the hint it found */
        self->position.segment = (uint64_t)pg_i64(lock, 0, 2);
        self->position.offset = (uint64_t)pg_i64(lock, 0, 3);
    }
    return DSND_OK;
}

static int compare_seen(const void *a, const void *b)
{
    return memcmp(a, b, SEEN_OCTETS);
}

/* The first item of each hash that was marked now is new; the others came before. */
static enum dsnd_err decide_fates(struct write_span *self)
{
    const PGresult *seen = self->found[WRITE_LOOKUP_SEEN];
    size_t count = (size_t)PQntuples(seen);
    unsigned char *hashes = dsnd_arena_alloc(&self->arena, count * SEEN_OCTETS + 1);
    bool *claimed = dsnd_arena_alloc(&self->arena, count + 1);

    if (!hashes || !claimed)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        memcpy(hashes + i * SEEN_OCTETS, pg_str(seen, (int)i, 0).ptr, SEEN_OCTETS);
    qsort(hashes, count, SEEN_OCTETS, compare_seen);
    for (size_t i = 0; i < self->count; i++) {
        struct write_item *w = &self->items[i];
        const unsigned char *hit;

        if (w->item.sequence <= self->stored) {
            w->fate = WRITE_FATE_SKIPPED;
            continue;
        }
        if (!wanted(w))
            continue;
        hit = bsearch(w->hash.octets, hashes, count, SEEN_OCTETS, compare_seen);
        if (!hit || claimed[(size_t)(hit - hashes) / SEEN_OCTETS])
            w->fate = WRITE_FATE_DUPLICATE;
        else
            claimed[(size_t)(hit - hashes) / SEEN_OCTETS] = true;
    }
    return DSND_OK;
}

int32_t write_day(int64_t received_us)
{
    int64_t day = received_us / DSND_US_PER_DAY - WRITE_DAY_ZERO;

    day = day < 0 ? 0 : day > WRITE_DAY_MAX ? WRITE_DAY_MAX : day;
    return (int32_t)day + WRITE_DAY_ZERO;
}

int64_t write_record_id(int64_t received_us, int64_t counter)
{
    return (int64_t)(write_day(received_us) - WRITE_DAY_ZERO) << 38 | counter;
}

static void number_rows(struct write_span *self)
{
    const PGresult *ids = self->found[WRITE_LOOKUP_IDS];
    int next = 0;

    for (size_t i = 0; i < self->count; i++) {
        struct write_item *w = &self->items[i];

        w->id = write_record_id(w->item.received_us, pg_i64(ids, next++, 0));
        for (size_t s = 0; s < w->status_count; s++)
            w->statuses[s].id = write_record_id(w->item.received_us, pg_i64(ids, next++, 0));
    }
}

enum dsnd_err write_lookup(struct write_span *self)
{
    enum dsnd_err err = pg_pipeline_begin(self->conn);

    if (!err)
        err = send_all(self);
    if (!err)
        err = pg_next(self->conn, NULL); /* BEGIN */
    if (!err)
        err = receive(self, 0);
    pg_pipeline_end(self->conn);
    if (!err)
        err = read_lock(self);
    if (!err)
        err = decide_fates(self);
    if (!err)
        number_rows(self);
    return err;
}

enum dsnd_err write_lookup_again(struct write_span *self, size_t id_count)
{
    enum dsnd_err err = pg_pipeline_begin(self->conn);

    if (!err)
        err = send_attribution(self, id_count);
    if (!err)
        err = receive(self, WRITE_LOOKUP_CAMPAIGN);
    pg_pipeline_end(self->conn);
    return err;
}
