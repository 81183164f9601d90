#include "cmd/pipeline_writer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "store/query_incident.h"

enum {
    WRITER_BACKOFF_FIRST_MS = 50,
    WRITER_BACKOFF_MAX_MS = 5000,
    WRITER_SCHEMA_RETRY_MS = 10000,
    WRITER_LOG_EVERY_MS = 60000,
    WRITER_MAINTAIN_EVERY_MS = 60000,
};

struct pipeline_writer {
    struct pipeline_writer_settings settings;
    /* The thread's own: */
    struct store_conn *conn;
    const struct pipeline_batch *work; /* the batch it stores now, or NULL */
    bool positioned;                   /* the database has said where to go on */
    int64_t logged_ms; /* when the database's absence was last logged; 0: it is there */
    int64_t maintained_ms;

    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    enum pipeline_writer_state state;
    const struct pipeline_batch *batch;
    struct journal_position position;
    bool stop;
};

static struct timespec deadline_in(unsigned timeout_ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static void start_over(struct pipeline_writer *self)
{
    (void)pthread_mutex_lock(&self->lock);
    self->state = PIPELINE_WRITER_START_OVER;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
}

/* Sleep unless asked to stop; true when asked. */
static bool pause_or_stop(struct pipeline_writer *self, unsigned ms)
{
    struct timespec until = deadline_in(ms);
    bool stop;
    int rc = 0;

    (void)pthread_mutex_lock(&self->lock);
    while (!self->stop && rc == 0)
        rc = pthread_cond_timedwait(&self->changed, &self->lock, &until);
    stop = self->stop;
    (void)pthread_mutex_unlock(&self->lock);
    return stop;
}

static void note_away(struct pipeline_writer *self, const char *why, enum dsnd_err err)
{
    int64_t now = dsnd_clock_monotonic_ms();

    metrics_set(METRIC_PG_UP, 0);
    if (self->logged_ms && now - self->logged_ms < WRITER_LOG_EVERY_MS)
        return;
    self->logged_ms = now;
    log_event(err == DSND_ERR_VERSION ? LOG_LEVEL_CRIT : LOG_LEVEL_ERR, "pipeline.database_away",
              "what=%s reason=\"%s\" error=\"%s\"", why, dsnd_err_text(err),
              LOG_QUOTED(self->conn ? store_conn_error(self->conn) : ""));
}

static void note_back(struct pipeline_writer *self)
{
    metrics_set(METRIC_PG_UP, 1);
    if (self->logged_ms)
        log_event(LOG_LEVEL_INFO, "pipeline.database_back", "journal=%s",
                  self->settings.journal_id);
    self->logged_ms = 0;
}

static struct journal_position from_store(const struct store_journal_position *stored)
{
    return (struct journal_position){stored->sequence, stored->segment, stored->offset};
}

/* Connect and ask where to go on; DSND_ERR_CONFLICT when the database fell behind what we stored.
 */
static enum dsnd_err open_connection(struct pipeline_writer *self)
{
    struct store_journal_position stored;
    enum dsnd_err err = store_connect(self->settings.database_url, "dsnd pipeline", &self->conn);

    if (err)
        return err;
    err = store_position_get(self->conn, self->settings.journal_id, &stored);
    if (err)
        return err;
    if (self->positioned && stored.sequence < self->position.sequence)
        return DSND_ERR_CONFLICT;
    if (!self->positioned)
        self->position = from_store(&stored);
    self->positioned = true;
    return DSND_OK;
}

static void close_connection(struct pipeline_writer *self)
{
    store_conn_free(self->conn);
    self->conn = NULL;
}

static enum dsnd_err count_incidents(struct pipeline_writer *self)
{
    int64_t open[REPORT_CLASS_COUNT];
    enum dsnd_err err = store_incident_open(self->conn, open);

    if (err)
        return err;
    metrics_set(METRIC_INCIDENTS_REPUTATION, (uint64_t)open[REPORT_CLASS_REPUTATION_BLOCK]);
    metrics_set(METRIC_INCIDENTS_AUTH, (uint64_t)open[REPORT_CLASS_AUTH_FAILURE]);
    metrics_set(METRIC_INCIDENTS_CONTENT, (uint64_t)open[REPORT_CLASS_CONTENT_BLOCK]);
    return DSND_OK;
}

static enum dsnd_err maintain(struct pipeline_writer *self)
{
    int64_t now = dsnd_clock_monotonic_ms();
    enum dsnd_err err;

    if (self->maintained_ms && now - self->maintained_ms < WRITER_MAINTAIN_EVERY_MS)
        return DSND_OK;
    err = store_maintain(self->conn, &self->settings.retention, dsnd_clock_now_us());
    if (!err)
        err = count_incidents(self);
    if (!err)
        self->maintained_ms = now;
    return err;
}

static enum dsnd_err write_batch(struct pipeline_writer *self)
{
    const struct pipeline_batch *batch = self->work;
    struct store_batch_result result = {0};
    struct store_journal_position position = {
        .journal_id = self->settings.journal_id,
        .sequence = batch->position.sequence,
        .segment = batch->position.segment,
        .offset = batch->position.offset,
    };
    enum dsnd_err err = store_write_batch(self->conn, &self->settings.policy, &position,
                                          batch->items, batch->count, &result);

    if (err)
        return err;
    metrics_add(METRIC_PIPELINE_BATCHES, 1);
    metrics_add(METRIC_PIPELINE_MESSAGES, result.reports);
    metrics_add(METRIC_PIPELINE_STATUSES, result.statuses);
    metrics_add(METRIC_PIPELINE_DUPLICATES, result.duplicates);
    metrics_add(METRIC_PIPELINE_QUARANTINED, result.quarantined);
    if (result.quarantined)
        log_event(LOG_LEVEL_WARN, "pipeline.quarantined", "count=%zu up_to_sequence=%llu",
                  result.quarantined, (unsigned long long)position.sequence);
    self->position = batch->position;
    return DSND_OK;
}

/* One step with the database: connect, look after the partitions, store the batch if there is one.
 */
static enum dsnd_err step(struct pipeline_writer *self)
{
    enum dsnd_err err = DSND_OK;

    if (!self->conn)
        err = open_connection(self);
    if (!err)
        err = maintain(self);
    if (!err && self->work)
        err = write_batch(self);
    return err;
}

/* The step is done: the batch it stored, if any, is the main thread's again. */
static void finish_step(struct pipeline_writer *self)
{
    (void)pthread_mutex_lock(&self->lock);
    if (self->work)
        self->batch = NULL;
    if (!self->batch)
        self->state = PIPELINE_WRITER_IDLE;
    self->work = NULL;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
}

/* Wait for a batch, or for the next maintenance; false when asked to stop. */
static bool wait_for_work(struct pipeline_writer *self)
{
    struct timespec until = deadline_in(WRITER_MAINTAIN_EVERY_MS);
    bool go_on;
    int rc = 0;

    (void)pthread_mutex_lock(&self->lock);
    while (!self->stop && self->state == PIPELINE_WRITER_IDLE && rc == 0)
        rc = pthread_cond_timedwait(&self->changed, &self->lock, &until);
    go_on = !self->stop;
    self->work = self->batch;
    (void)pthread_mutex_unlock(&self->lock);
    return go_on;
}

static void *writer_main(void *arg)
{
    struct pipeline_writer *self = arg;
    unsigned backoff_ms = WRITER_BACKOFF_FIRST_MS;

    for (;;) {
        enum dsnd_err err = step(self);

        if (err == DSND_OK) {
            note_back(self);
            backoff_ms = WRITER_BACKOFF_FIRST_MS;
            finish_step(self);
            if (!wait_for_work(self))
                break;
            continue;
        }
        note_away(self, self->work ? "batch" : "connect", err);
        if (err == DSND_ERR_CONFLICT) {
            start_over(self);
            break;
        }
        if (self->work)
            metrics_add(METRIC_PIPELINE_RETRIES, 1);
        close_connection(self);
        if (pause_or_stop(self, err == DSND_ERR_VERSION ? WRITER_SCHEMA_RETRY_MS : backoff_ms))
            break;
        backoff_ms =
            backoff_ms * 2 > WRITER_BACKOFF_MAX_MS ? WRITER_BACKOFF_MAX_MS : backoff_ms * 2;
    }
    close_connection(self);
    return NULL;
}

enum dsnd_err pipeline_writer_new(const struct pipeline_writer_settings *settings,
                                  struct pipeline_writer **ret_writer)
{
    struct pipeline_writer *self = calloc(1, sizeof(*self));
    pthread_condattr_t attributes;

    if (!self)
        return DSND_ERR_NOMEM;
    self->settings = *settings;
    self->state = PIPELINE_WRITER_CONNECTING;
    (void)pthread_mutex_init(&self->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&self->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    errno = pthread_create(&self->thread, NULL, writer_main, self);
    if (errno) {
        (void)pthread_cond_destroy(&self->changed);
        (void)pthread_mutex_destroy(&self->lock);
        free(self);
        return DSND_ERR_IO;
    }
    *ret_writer = self;
    return DSND_OK;
}

void pipeline_writer_free(struct pipeline_writer *self)
{
    if (!self)
        return;
    (void)pthread_mutex_lock(&self->lock);
    self->stop = true;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
    (void)pthread_join(self->thread, NULL);
    (void)pthread_cond_destroy(&self->changed);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}

enum pipeline_writer_state pipeline_writer_wait(struct pipeline_writer *self, unsigned timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);
    enum pipeline_writer_state state;
    int rc = 0;

    (void)pthread_mutex_lock(&self->lock);
    while (self->state != PIPELINE_WRITER_IDLE && self->state != PIPELINE_WRITER_START_OVER &&
           rc == 0)
        rc = pthread_cond_timedwait(&self->changed, &self->lock, &until);
    state = self->state;
    (void)pthread_mutex_unlock(&self->lock);
    return state;
}

struct journal_position pipeline_writer_position(struct pipeline_writer *self)
{
    struct journal_position position;

    (void)pthread_mutex_lock(&self->lock);
    position = self->position;
    (void)pthread_mutex_unlock(&self->lock);
    return position;
}

void pipeline_writer_put(struct pipeline_writer *self, const struct pipeline_batch *batch)
{
    (void)pthread_mutex_lock(&self->lock);
    self->batch = batch;
    self->state = PIPELINE_WRITER_BUSY;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
}

void pipeline_writer_set_policy(struct pipeline_writer *self, const struct store_policy *policy)
{
    (void)pthread_mutex_lock(&self->lock);
    self->settings.policy = *policy;
    (void)pthread_mutex_unlock(&self->lock);
}
