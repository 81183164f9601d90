/*
 * dsnd webhooks: tells endpoints of events. Several threads, each with its own connection to the
 * database, take one endpoint that is due at a time and post what waits for it, in order. What was
 * not confirmed by 2xx stays in the outbox and is posted again: at least once, never lost.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cmd/child.h"
#include "cmd/commands.h"
#include "cmd/reload.h"
#include "cmd/settings.h"
#include "hook/backoff.h"
#include "hook/post.h"
#include "store/query_webhook.h"

enum {
    THREADS = 4, /* so that a slow endpoint does not hold up the others */
    BATCH_EVENTS = 100,
    BATCH_OCTETS = 1024 * 1024,
    IDLE_MS = 500,
    AWAY_MS = 2000,
    COUNT_MS = 10000,
    NOTE_MS = 60000,
    LEASE_EXTRA_MS = 20000,
};

/* What a reload may change. */
struct limits {
    struct hook_settings post;
    int64_t retry_ms;
};

struct sender {
    const char *database_url;
    pthread_mutex_t lock;
    struct limits limits; /* under `lock` */
    atomic_uint reloads;  /* raised after `limits` changed */
    atomic_bool stop;
};

struct worker {
    struct sender *sender;
    bool looks_after; /* forgets, sets the gauges, and speaks for all where the database is away */
    int64_t counted_ms;
    int64_t noted_ms;
    struct store_conn *conn;
    struct limits limits; /* what `poster` was made of */
    unsigned reloads;     /* of the sender's, as `limits` has them */
    struct hook_poster *poster;
    struct dsnd_buf body;
    pthread_t thread;
};

/* Sleep in steps, so that the end comes soon. */
static void pause_ms(const struct sender *sender, int ms)
{
    const struct timespec step = {0, 50 * 1000000L};

    for (int slept = 0; slept < ms && !sender->stop; slept += 50)
        (void)nanosleep(&step, NULL);
}

static enum dsnd_err make_body(struct dsnd_buf *body, const struct store_rows *events)
{
    enum dsnd_err err;

    dsnd_buf_clear(body);
    err = dsnd_buf_add(body, DSND_STR("{\"events\":["));
    for (size_t i = 0; i < store_rows_count(events) && !err; i++) {
        if (i)
            err = dsnd_buf_add_char(body, ',');
        if (!err)
            err = dsnd_buf_add(body, store_rows_value(events, i, STORE_EVENT_BODY));
    }
    return err ? err : dsnd_buf_add(body, DSND_STR("]}"));
}

static uint32_t random_number(void)
{
    uint32_t number = 0;

    (void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
    return number;
}

static enum dsnd_err note_failure(struct worker *self, struct store_webhook_attempt *attempt,
                                  int64_t failures)
{
    int64_t dead = 0;
    enum dsnd_err err;

    attempt->wait_ms = hook_backoff_ms(failures, random_number());
    attempt->keep_ms = self->limits.retry_ms;
    err = store_webhook_failed(self->conn, attempt, &dead);
    metrics_add(METRIC_WEBHOOK_FAILED, 1);
    metrics_add(METRIC_WEBHOOK_GIVEN_UP, (uint64_t)dead);
    log_event(LOG_LEVEL_WARN, "webhook.failed",
              "webhook=%" PRId64 " status=%d reason=\"%.*s\" again_ms=%" PRId64
              " given_up=%" PRId64,
              attempt->id, attempt->status, DSND_STR_ARG(attempt->reason), attempt->wait_ms, dead);
    return err;
}

/* `id` names these events and no others: retries of the same carry the same id. */
static void make_id(char id[128], int64_t hook, const struct store_rows *events)
{
    size_t count = store_rows_count(events);

    (void)snprintf(id, 128, "msg_%" PRId64 "_%" PRId64 "_%" PRId64 "_%zu", hook,
                   store_rows_int(events, 0, STORE_EVENT_SEQ),
                   store_rows_int(events, count - 1, STORE_EVENT_SEQ), count);
}

static enum dsnd_err post_events(struct worker *self, const struct store_rows *claim,
                                 const struct store_rows *events)
{
    char url[2048];
    char id[128];
    struct store_webhook_attempt attempt = {.id = store_rows_int(claim, 0, STORE_CLAIM_ID),
                                            .events = events};
    struct hook_message message = {.url = url,
                                   .id = id,
                                   .secret = store_rows_value(claim, 0, STORE_CLAIM_SECRET),
                                   .old_secret =
                                       store_rows_value(claim, 0, STORE_CLAIM_OLD_SECRET)};
    struct hook_answer answer;
    bool taken;
    enum dsnd_err err =
        dsnd_str_copy(store_rows_value(claim, 0, STORE_CLAIM_URL), url, sizeof(url));

    if (!err)
        err = make_body(&self->body, events);
    if (err)
        return err;
    make_id(id, attempt.id, events);
    message.timestamp = dsnd_clock_now_us() / DSND_US_PER_S;
    message.body = dsnd_buf_str(&self->body);
    attempt.message = dsnd_str_of(id);
    attempt.octets = message.body.len;
    attempt.duration_ms = dsnd_clock_monotonic_ms();
    taken = hook_post(self->poster, &message, &self->sender->stop, &answer);
    attempt.duration_ms = dsnd_clock_monotonic_ms() - attempt.duration_ms;
    attempt.status = answer.status;
    attempt.reason = dsnd_str_of(answer.reason);
    if (!taken)
        return note_failure(self, &attempt, store_rows_int(claim, 0, STORE_CLAIM_FAILURES));
    metrics_add(METRIC_WEBHOOK_DELIVERED, store_rows_count(events));
    return store_webhook_delivered(self->conn, &attempt);
}

/* One endpoint that is due. DSND_ERR_NOT_FOUND: none is. */
static enum dsnd_err work(struct worker *self)
{
    struct store_rows *claim = NULL;
    struct store_rows *events = NULL;
    int64_t lease = (int64_t)self->limits.post.timeout_ms + LEASE_EXTRA_MS;
    enum dsnd_err err = store_webhook_claim(self->conn, lease, &claim);

    if (!err)
        err = store_webhook_events(self->conn, store_rows_int(claim, 0, STORE_CLAIM_ID),
                                   BATCH_EVENTS, BATCH_OCTETS, &events);
    if (!err && store_rows_count(events) > 0)
        err = post_events(self, claim, events);
    store_rows_free(events);
    store_rows_free(claim);
    return err;
}

/* Now and then, by one of them: forget what is old, and set the gauges. */
static enum dsnd_err look_after(struct worker *self)
{
    int64_t now = dsnd_clock_monotonic_ms();
    int64_t waiting = 0;
    int64_t dead = 0;
    int64_t given_up = 0;
    enum dsnd_err err;

    if (!self->looks_after || (self->counted_ms && now < self->counted_ms + COUNT_MS))
        return DSND_OK;
    self->counted_ms = now;
    err = store_webhook_forget(self->conn, self->limits.retry_ms, &given_up);
    if (!err)
        err = store_webhook_count(self->conn, &waiting, &dead);
    metrics_add(METRIC_WEBHOOK_GIVEN_UP, (uint64_t)given_up);
    metrics_set(METRIC_WEBHOOK_WAITING, (uint64_t)waiting);
    metrics_set(METRIC_WEBHOOK_DEAD, (uint64_t)dead);
    return err;
}

/* Say once a minute why nothing is posted. */
static void note_away(struct worker *self, enum dsnd_err err)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();

    if (!self->looks_after || (self->noted_ms && now_ms - self->noted_ms < NOTE_MS))
        return;
    self->noted_ms = now_ms;
    log_event(LOG_LEVEL_ERR, "webhook.database_away", "reason=\"%s\" error=\"%s\"",
              dsnd_err_text(err), LOG_QUOTED(self->conn ? store_conn_error(self->conn) : ""));
}

static void drop_connection(struct worker *self, enum dsnd_err err)
{
    note_away(self, err);
    store_conn_free(self->conn);
    self->conn = NULL;
    pause_ms(self->sender, AWAY_MS);
}

static enum dsnd_err take_limits(struct worker *self)
{
    struct sender *sender = self->sender;
    struct hook_poster *poster;

    self->reloads = sender->reloads;
    (void)pthread_mutex_lock(&sender->lock);
    self->limits = sender->limits;
    (void)pthread_mutex_unlock(&sender->lock);
    poster = hook_poster_new(&self->limits.post);
    if (!poster)
        return DSND_ERR_NOMEM;
    hook_poster_free(self->poster);
    self->poster = poster;
    return DSND_OK;
}

static void *run_worker(void *context)
{
    struct worker *self = context;

    while (!self->sender->stop) {
        enum dsnd_err err = DSND_OK;

        if (self->reloads != self->sender->reloads)
            err = take_limits(self);
        if (!err && !self->conn)
            err = store_connect(self->sender->database_url, "dsnd webhooks", &self->conn);
        if (!err)
            err = look_after(self);
        if (!err)
            err = work(self);
        if (err == DSND_ERR_NOT_FOUND)
            pause_ms(self->sender, IDLE_MS);
        else if (err)
            drop_connection(self, err);
    }
    store_conn_free(self->conn);
    return NULL;
}

static enum dsnd_err start(struct sender *sender, struct worker *workers, size_t *ret_started)
{
    for (size_t i = 0; i < THREADS; i++) {
        struct worker *w = &workers[i];

        *w = (struct worker){.sender = sender,
                             .looks_after = i == 0,
                             .body = DSND_BUF_INIT((size_t)8 * BATCH_OCTETS)};
        if (take_limits(w))
            return DSND_ERR_NOMEM;
        if (pthread_create(&w->thread, NULL, run_worker, w) != 0) {
            hook_poster_free(w->poster);
            return DSND_ERR_NOMEM;
        }
        *ret_started = i + 1;
    }
    return DSND_OK;
}

static struct limits make_limits(const struct settings *settings)
{
    return (struct limits){
        .post = {.allow_private = settings->webhooks.allow_private,
                 .allow_http = settings->webhooks.allow_http,
                 .timeout_ms = settings->webhooks.timeout},
        .retry_ms = (int64_t)settings->webhooks.retry,
    };
}

/* What is being posted ends under the limits with which it began. */
static void reload(struct sender *sender)
{
    static struct settings fresh;
    struct config_error error = {""};

    if (settings_reload(&fresh, &error) == DSND_OK) {
        (void)pthread_mutex_lock(&sender->lock);
        sender->limits = make_limits(&fresh);
        (void)pthread_mutex_unlock(&sender->lock);
        sender->reloads++;
        log_event(LOG_LEVEL_INFO, "webhook.reloaded", "retry_ms=%" PRId64,
                  (int64_t)fresh.webhooks.retry);
        reload_done(&fresh, "webhooks");
        return;
    }
    reload_failed("webhook.reload_failed", &error);
}

static enum dsnd_err run(const struct settings *settings)
{
    static struct worker workers[THREADS];
    struct sender sender = {.database_url = settings->database.url,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .limits = make_limits(settings)};
    enum child_event event;
    size_t started = 0;
    enum dsnd_err err = hook_global_init();

    if (!err)
        err = start(&sender, workers, &started);
    if (!err) {
        child_ready();
        while ((event = child_wait(-1)) != CHILD_EVENT_STOP)
            if (event == CHILD_EVENT_RELOAD)
                reload(&sender);
    }
    sender.stop = true;
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        hook_poster_free(workers[i].poster);
        dsnd_buf_done(&workers[i].body);
    }
    return err;
}

int cmd_webhooks(int argc, char **argv)
{
    static struct settings settings;
    enum dsnd_err err;
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd webhooks [-c FILE]\n\n"
        "Posts events to the endpoints that asked for them (POST /v1/webhooks).\n",
        &settings);

    if (status >= 0)
        return status;
    err = child_begin("webhooks", METRICS_SLOT_WEBHOOKS);
    if (!err)
        err = child_give_up_root(settings.process.user, false);
    if (!err)
        err = run(&settings);
    if (err)
        log_event(LOG_LEVEL_CRIT, "webhook.failed", "error=\"%s\"", dsnd_err_text(err));
    return child_exit_status(err);
}
