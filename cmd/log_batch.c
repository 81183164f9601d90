#include "cmd/log_batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ingest/journal.h"
#include "parse/status_code.h"
#include "store/text.h"

enum { DIAGNOSTIC_MAX = 4096, SENT_BEFORE_DAYS = 60 };

/* A message in the queue, as known at this place of the log. */
struct entry {
    struct store_log_message m;
    bool is_stored;  /* the database has a row of it */
    bool is_touched; /* an event of this batch told of it */
    bool is_removed;
    size_t waiting_size; /* room for those who wait */
};

struct join {
    struct log_batch *batch;
    const struct log_context *context;
    struct entry *entries; /* in the order of their queue ids */
    size_t entry_count;
};

enum dsnd_err log_batch_init(struct log_batch *self)
{
    *self = (struct log_batch){.arena = DSND_ARENA_INIT((size_t)1 << 30)};
    return log_batch_clear(self);
}

void log_batch_done(struct log_batch *self)
{
    dsnd_arena_done(&self->arena);
}

enum dsnd_err log_batch_clear(struct log_batch *self)
{
    dsnd_arena_clear(&self->arena);
    self->event_count = 0;
    self->item_count = 0;
    self->octets = 0;
    self->events = dsnd_arena_array(&self->arena, LOG_BATCH_EVENTS, sizeof(*self->events));
    return self->events ? DSND_OK : DSND_ERR_NOMEM;
}

bool log_batch_full(const struct log_batch *self)
{
    return self->event_count == LOG_BATCH_EVENTS || self->octets >= LOG_BATCH_OCTETS;
}

/* ---- copies ---- */

/* As it is stored, so that who waits is known again. */
static enum dsnd_err copy_recipient(struct log_batch *self, struct dsnd_str from,
                                    struct dsnd_str *ret_recipient)
{
    enum dsnd_err err = dsnd_arena_copy(&self->arena, from, ret_recipient);

    return err ? err
               : store_text_clean(&self->arena, *ret_recipient, STORE_TEXT_ADDRESS_MAX,
                                  ret_recipient);
}

static enum dsnd_err copy_recipients(struct log_batch *self, const struct mta_event *from,
                                     struct mta_event *event)
{
    enum dsnd_err err = DSND_OK;

    if (!from->recipient_count)
        return DSND_OK;
    event->recipients =
        dsnd_arena_array(&self->arena, from->recipient_count, sizeof(*event->recipients));
    if (!event->recipients)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < from->recipient_count && !err; i++)
        err = copy_recipient(self, from->recipients[i], &event->recipients[i]);
    return err;
}

/*
 * Machines that log to one place may use the same queue ids. The key is cleaned here, once, so that
 * what is asked for is what is stored.
 */
static enum dsnd_err make_key(struct log_batch *self, struct mta_event *event)
{
    struct dsnd_str host = event->host;
    struct dsnd_str id = event->queue_id;
    char *key;

    if (!host.len || !id.len)
        return store_text_clean(&self->arena, id, STORE_TEXT_FIELD_MAX, &event->queue_id);
    key = dsnd_arena_alloc(&self->arena, host.len + 1 + id.len);
    if (!key)
        return DSND_ERR_NOMEM;
    memcpy(key, host.ptr, host.len);
    key[host.len] = '/';
    memcpy(key + host.len + 1, id.ptr, id.len);
    return store_text_clean(&self->arena, dsnd_str_make(key, host.len + 1 + id.len),
                            STORE_TEXT_FIELD_MAX, &event->queue_id);
}

enum dsnd_err log_batch_add(struct log_batch *self, const struct mta_event *event,
                            struct dsnd_str line, uint64_t sequence)
{
    struct log_pending *pending = &self->events[self->event_count];
    struct mta_event *e = &pending->event;
    enum { VIEWS = 8 };
    struct dsnd_str *const views[VIEWS] = {
        &e->host,        &e->queue_id,        &e->sender,     &e->message_id,
        &e->envelope_id, &e->final_recipient, &e->remote_mta, &e->diagnostic,
    };
    enum dsnd_err err;

    *pending = (struct log_pending){.event = *event, .sequence = sequence};
    e->diagnostic = dsnd_str_slice(e->diagnostic, 0, DIAGNOSTIC_MAX);
    err = dsnd_arena_copy(&self->arena, line, &pending->line);
    for (size_t i = 0; i < VIEWS && !err; i++)
        err = dsnd_arena_copy(&self->arena, *views[i], views[i]);
    if (!err)
        err = make_key(self, e);
    if (!err)
        err = copy_recipients(self, event, e);
    if (err)
        return err;
    self->event_count++;
    self->octets += line.len;
    return DSND_OK;
}

/* ---- messages by queue id ---- */

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;

    return dsnd_str_cmp(a->m.queue_id, b->m.queue_id);
}

static struct entry *find_entry(const struct join *self, struct dsnd_str queue_id)
{
    const struct entry key = {.m = {.queue_id = queue_id}};

    return bsearch(&key, self->entries, self->entry_count, sizeof(key), compare_entries);
}

static enum dsnd_err list_entries(struct join *self)
{
    struct log_batch *batch = self->batch;
    size_t count = 0;

    self->entries = dsnd_arena_array(&batch->arena, batch->event_count + 1, sizeof(*self->entries));
    if (!self->entries)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < batch->event_count; i++)
        if (batch->events[i].event.queue_id.len)
            self->entries[count++].m.queue_id = batch->events[i].event.queue_id;
    qsort(self->entries, count, sizeof(*self->entries), compare_entries);
    for (size_t i = 0; i < count; i++)
        if (!i || compare_entries(&self->entries[i], &self->entries[self->entry_count - 1]) != 0)
            self->entries[self->entry_count++] = self->entries[i];
    return DSND_OK;
}

/* ---- who waits ---- */

static struct store_log_waiting *find_waiting(const struct entry *entry, struct dsnd_str recipient)
{
    struct store_log_waiting *found = NULL;

    for (size_t i = 0; i < entry->m.waiting_count && !found; i++)
        if (dsnd_str_eq(entry->m.waiting[i].recipient, recipient))
            found = &entry->m.waiting[i];
    return found;
}

/* Beyond the limit nobody is remembered. */
static enum dsnd_err add_waiting(struct join *self, struct entry *entry,
                                 const struct store_log_waiting *waiting)
{
    struct store_log_message *m = &entry->m;
    struct store_log_waiting *more;

    if (m->waiting_count == STORE_LOG_WAITING_MAX)
        return DSND_OK;
    if (m->waiting_count == entry->waiting_size) {
        entry->waiting_size = entry->waiting_size ? entry->waiting_size * 2 : 1;
        more = dsnd_arena_array(&self->batch->arena, entry->waiting_size, sizeof(*more));
        if (!more)
            return DSND_ERR_NOMEM;
        if (m->waiting_count)
            memcpy(more, m->waiting, m->waiting_count * sizeof(*more));
        m->waiting = more;
    }
    m->waiting[m->waiting_count++] = *waiting;
    return DSND_OK;
}

static enum dsnd_err keep_delay(struct join *self, struct entry *entry,
                                const struct mta_event *event)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < event->recipient_count && !err; i++) {
        const struct store_log_waiting now = {event->recipients[i], event->remote_mta,
                                              event->diagnostic};
        struct store_log_waiting *known = find_waiting(entry, now.recipient);

        if (known)
            *known = now;
        else
            err = add_waiting(self, entry, &now);
    }
    entry->m.waits_anew = true;
    return err;
}

static void end_waiting(struct entry *entry, const struct mta_event *event)
{
    for (size_t i = 0; i < event->recipient_count; i++) {
        struct store_log_waiting *known = find_waiting(entry, event->recipients[i]);

        if (!known)
            continue;
        *known = entry->m.waiting[--entry->m.waiting_count];
        entry->m.waits_anew = true;
    }
}

/* ---- what is known ---- */

static enum dsnd_err read_message(struct join *self, const struct store_rows *rows, size_t row)
{
    struct entry *entry = find_entry(self, store_rows_value(rows, row, STORE_LOG_MESSAGE_QUEUE_ID));
    struct store_log_waiting waiting;
    const struct {
        enum store_log_message_column column;
        struct dsnd_str *to;
    } texts[] = {
        {STORE_LOG_MESSAGE_SENDER, &entry->m.sender},
        {STORE_LOG_MESSAGE_MESSAGE_ID, &entry->m.message_id},
        {STORE_LOG_MESSAGE_RECIPIENT, &waiting.recipient},
        {STORE_LOG_MESSAGE_REMOTE_MTA, &waiting.remote_mta},
        {STORE_LOG_MESSAGE_DIAGNOSTIC, &waiting.diagnostic},
    };
    enum dsnd_err err = DSND_OK;

    if (!entry)
        return DSND_OK;
    entry->is_stored = true;
    entry->m.queued_us = store_rows_int(rows, row, STORE_LOG_MESSAGE_QUEUED_US);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && !err; i++)
        err = dsnd_arena_copy(&self->batch->arena, store_rows_value(rows, row, texts[i].column),
                              texts[i].to);
    if (!err && waiting.recipient.len)
        err = add_waiting(self, entry, &waiting);
    return err;
}

/* What earlier lines told of the messages. */
static enum dsnd_err ask(struct join *self, struct store_conn *conn)
{
    struct dsnd_str *ids =
        dsnd_arena_array(&self->batch->arena, self->entry_count + 1, sizeof(*ids));
    struct store_rows *rows = NULL;
    enum dsnd_err err = ids ? DSND_OK : DSND_ERR_NOMEM;

    for (size_t i = 0; i < self->entry_count && !err; i++)
        ids[i] = self->entries[i].m.queue_id;
    if (!err && self->entry_count)
        err = store_log_find(conn, self->context->source_id, ids, self->entry_count, &rows);
    for (size_t row = 0; row < store_rows_count(rows) && !err; row++)
        err = read_message(self, rows, row);
    store_rows_free(rows);
    return err;
}

/* ---- items ---- */

static enum report_kind kind_of(const struct mta_event *event)
{
    return event->feedback ? REPORT_KIND_ARF : REPORT_KIND_MTA_LOG;
}

static enum dsnd_err fill_recipient(struct join *self, const struct mta_event *event,
                                    const struct store_log_waiting *reason,
                                    struct report_recipient *recipient)
{
    bool fails = event->action == REPORT_ACTION_FAILED || event->action == REPORT_ACTION_DELAYED;
    struct status_reply reply =
        fails ? status_reply_find(reason->diagnostic) : (struct status_reply){0};

    recipient->action = event->action;
    recipient->status = event->status;
    recipient->smtp_code = reply.code;
    recipient->smtp_status = reply.status;
    recipient->remote_mta = reason->remote_mta;
    recipient->diagnostic = reason->diagnostic;
    return rules_classify(self->context->rules, self->context->scratch, kind_of(event),
                          DSND_STR_ABSENT, &self->batch->arena, recipient);
}

/* `reasons`: one a recipient; NULL where the event has the one of all. */
static enum dsnd_err make_report(struct join *self, const struct mta_event *event,
                                 const struct store_log_waiting *reasons,
                                 struct dsnd_str message_id, struct report *report)
{
    const struct store_log_waiting own = {.remote_mta = event->remote_mta,
                                          .diagnostic = event->diagnostic};
    enum dsnd_err err = DSND_OK;

    *report = (struct report){
        .kind = kind_of(event),
        .feedback = event->feedback,
        .reporting_mta = event->host,
        .envelope_id = event->envelope_id.len ? event->envelope_id : DSND_STR_ABSENT,
        .returned = {.present = message_id.len > 0, .message_id = message_id},
        .recipient_count = event->recipient_count,
    };
    report->recipients = dsnd_arena_array(&self->batch->arena, event->recipient_count + 1,
                                          sizeof(*report->recipients));
    if (!report->recipients)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < event->recipient_count && !err; i++) {
        report->recipients[i].recipient = event->recipients[i];
        report->recipients[i].final_recipient =
            event->final_recipient.len ? event->final_recipient : event->recipients[i];
        err = fill_recipient(self, event, reasons ? &reasons[i] : &own, &report->recipients[i]);
    }
    return err;
}

static void count_result(struct log_counts *counts, const struct mta_event *event)
{
    uint64_t n = event->recipient_count ? event->recipient_count : 1;

    counts->delivered += n * (event->action == REPORT_ACTION_DELIVERED);
    counts->delayed += n * (event->action == REPORT_ACTION_DELAYED);
    counts->failed += n * (event->action == REPORT_ACTION_FAILED);
    counts->complaints += event->feedback != REPORT_FEEDBACK_NONE;
}

/* When the message was sent: what the log says of it, where that can be. */
static int64_t sent_at(const struct mta_event *event, const struct entry *entry)
{
    int64_t us = event->queued_us ? event->queued_us : entry ? entry->m.queued_us : 0;

    if (us > event->at_us || us < event->at_us - SENT_BEFORE_DAYS * DSND_US_PER_DAY)
        return event->at_us;
    return us;
}

/* An event whose sender is known becomes an item, if the message is ours. */
static enum dsnd_err make_item(struct join *self, const struct log_pending *pending,
                               const struct mta_event *event, const struct entry *entry,
                               const struct store_log_waiting *reasons)
{
    struct log_batch *batch = self->batch;
    struct store_item *item = &batch->items[batch->item_count];
    struct return_path *path = dsnd_arena_alloc(&batch->arena, sizeof(*path));
    struct report *report = dsnd_arena_alloc(&batch->arena, sizeof(*report));
    struct dsnd_str *to = dsnd_arena_alloc(&batch->arena, sizeof(*to));
    bool has_id = event->message_id.len || !entry;
    /* A report says itself of when it is. */
    int64_t at_us = event->is_report ? dsnd_clock_now_us() : event->at_us;
    enum dsnd_err err;

    if (!path || !report || !to)
        return DSND_ERR_NOMEM;
    *to = event->sender;
    return_path_verify(self->context->keys, *to, at_us, self->context->max_age_us, path);
    if (path->verdict != RETURN_PATH_SIGNED) {
        batch->counts.foreign++;
        if (!self->context->keep_foreign)
            return DSND_OK;
    }
    err =
        make_report(self, event, reasons, has_id ? event->message_id : entry->m.message_id, report);
    if (err)
        return err;
    count_result(&batch->counts, event);
    *item = (struct store_item){
        .sequence = pending->sequence,
        .received_us = event->at_us,
        .source = JOURNAL_SOURCE_LOG,
        .mail_from = DSND_STR(""),
        .envelope_to = to,
        .return_paths = path,
        .envelope_to_count = 1,
        .registers = !event->is_report,
        .sent_us = sent_at(event, entry),
        .octets = pending->line,
        .report = report,
    };
    batch->item_count++;
    return DSND_OK;
}

/* ---- events in order ---- */

static void learn(struct entry *entry, const struct mta_event *event)
{
    if (entry->is_removed) /* the queue id is used again */
        entry->m = (struct store_log_message){
            .queue_id = entry->m.queue_id, .waiting = entry->m.waiting, .waits_anew = true};
    entry->is_removed = false;
    if (dsnd_str_present(event->sender))
        entry->m.sender = event->sender;
    if (event->message_id.len)
        entry->m.message_id = event->message_id;
    if (!entry->m.queued_us)
        entry->m.queued_us = event->queued_us ? event->queued_us : event->at_us;
}

static enum dsnd_err take_result(struct join *self, const struct log_pending *pending,
                                 struct entry *entry, const struct store_log_waiting *reasons)
{
    struct mta_event event = pending->event;
    enum dsnd_err err = DSND_OK;

    if (entry && !entry->is_removed && !dsnd_str_present(event.sender))
        event.sender = entry->m.sender;
    if (!dsnd_str_present(event.sender)) {
        self->batch->counts.unknown++;
        return DSND_OK;
    }
    if (entry && event.action == REPORT_ACTION_DELAYED)
        err = keep_delay(self, entry, &event);
    else if (entry && !event.feedback && !reasons)
        end_waiting(entry, &event);
    return err ? err : make_item(self, pending, &event, entry, reasons);
}

/* Whoever still waits has failed, for the reason of his last delay: one report of all of them. */
static enum dsnd_err take_expiry(struct join *self, const struct log_pending *pending,
                                 struct entry *entry)
{
    static const struct report_status expired = {4, 4, 7};
    struct store_log_waiting nobody = {.diagnostic = DSND_STR("message expired")};
    struct store_log_waiting *waiting = entry->m.waiting_count ? entry->m.waiting : &nobody;
    struct log_pending result = *pending;
    struct mta_event *event = &result.event;
    enum dsnd_err err;

    event->action = REPORT_ACTION_FAILED;
    event->status = expired;
    event->recipient_count = entry->m.waiting_count ? entry->m.waiting_count : 1;
    event->recipients =
        dsnd_arena_array(&self->batch->arena, event->recipient_count, sizeof(*event->recipients));
    if (!event->recipients)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < event->recipient_count; i++) {
        event->recipients[i] = waiting[i].recipient;
        if (!waiting[i].diagnostic.len)
            waiting[i].diagnostic = nobody.diagnostic;
    }
    err = take_result(self, &result, entry, waiting);
    entry->m.waits_anew = entry->m.waits_anew || entry->m.waiting_count;
    entry->m.waiting_count = 0;
    return err;
}

static enum dsnd_err take_event(struct join *self, const struct log_pending *pending)
{
    const struct mta_event *event = &pending->event;
    struct entry *entry = find_entry(self, event->queue_id);

    if (entry)
        entry->is_touched = true;
    switch (event->kind) {
    case MTA_EVENT_OTHER:
        break;
    case MTA_EVENT_MESSAGE:
        if (entry)
            learn(entry, event);
        break;
    case MTA_EVENT_RESULT:
        return take_result(self, pending, entry, NULL);
    case MTA_EVENT_EXPIRED:
        return entry ? take_expiry(self, pending, entry) : DSND_OK;
    case MTA_EVENT_REMOVED:
        if (entry)
            entry->is_removed = true;
        break;
    }
    return DSND_OK;
}

/* Other mail needs no memory: without its sender nothing is made of its results. */
static bool is_foreign(const struct join *self, const struct entry *entry)
{
    struct return_path path;

    if (self->context->keep_foreign || !dsnd_str_present(entry->m.sender))
        return false;
    return_path_verify(self->context->keys, entry->m.sender, entry->m.queued_us,
                       self->context->max_age_us, &path);
    return path.verdict != RETURN_PATH_SIGNED;
}

/* What has to be remembered for later lines, and what no more. */
static enum dsnd_err list_changes(struct join *self)
{
    struct log_batch *batch = self->batch;
    size_t size = self->entry_count + 1;
    struct store_log_message *set = dsnd_arena_array(&batch->arena, size, sizeof(*set));
    struct dsnd_str *removed = dsnd_arena_array(&batch->arena, size, sizeof(*removed));

    if (!set || !removed)
        return DSND_ERR_NOMEM;
    batch->changes = (struct store_log_changes){
        .source_id = self->context->source_id, .set = set, .removed = removed};
    for (size_t i = 0; i < self->entry_count; i++) {
        const struct entry *entry = &self->entries[i];
        bool is_new = dsnd_str_present(entry->m.sender) || entry->m.message_id.len;

        if (entry->is_removed || is_foreign(self, entry)) {
            if (entry->is_stored)
                removed[batch->changes.removed_count++] = entry->m.queue_id;
        } else if (entry->is_touched && is_new) {
            set[batch->changes.set_count++] = entry->m;
        }
    }
    return DSND_OK;
}

enum dsnd_err log_batch_join(struct log_batch *self, const struct log_context *context,
                             struct store_conn *conn)
{
    struct join join = {.batch = self, .context = context};
    enum dsnd_err err = list_entries(&join);

    self->item_count = 0;
    self->counts = (struct log_counts){0};
    self->items = dsnd_arena_array(&self->arena, self->event_count + 1, sizeof(*self->items));
    if (!self->items)
        return DSND_ERR_NOMEM;
    if (!err)
        err = ask(&join, conn);
    for (size_t i = 0; i < self->event_count && !err; i++)
        err = take_event(&join, &self->events[i]);
    return err ? err : list_changes(&join);
}
