#include "ingest/smtp_loop.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ingest/smtp_conn.h"
#include "ingest/smtp_reply.h"

enum {
    ACCEPT_BATCH = 64,     /* connections taken before others get their turn */
    ACCEPT_PAUSE_MS = 200, /* without descriptors */
    PAUSE_LOG_MS = 10 * 1000,
    RELIEVED = 8, /* sessions ended at once where memory is short */
};

struct smtp_generation *smtp_shared_acquire(struct smtp_shared *self)
{
    struct smtp_generation *generation;

    (void)pthread_mutex_lock(&self->lock);
    generation = self->current;
    generation->users++;
    (void)pthread_mutex_unlock(&self->lock);
    return generation;
}

void smtp_shared_release(struct smtp_shared *self, struct smtp_generation *generation)
{
    bool last;

    (void)pthread_mutex_lock(&self->lock);
    last = --generation->users == 0;
    (void)pthread_mutex_unlock(&self->lock);
    if (last)
        smtp_generation_free(generation);
}

/* ---- accepting ---- */

/*
 * End the connection that has been silent longest between messages, else the one that has been so
 * within one, if long enough; false if there is none.
 */
static bool evict_one(struct smtp_loop *self)
{
    struct smtp_conn *conn = TAILQ_FIRST(&self->evictable[SMTP_EVICTABLE_IDLE]);

    if (!conn) {
        conn = TAILQ_FIRST(&self->evictable[SMTP_EVICTABLE_STALLED]);
        if (conn && dsnd_clock_monotonic_ms() - conn->active_ms < SMTP_STALL_MS)
            conn = NULL;
    }
    if (conn)
        smtp_conn_evict(conn);
    return conn != NULL;
}

/* One line to someone whom we do not let in; best effort, the socket buffer is empty. */
static void turn_away(int fd, enum smtp_kind kind, enum smtp_reply reply)
{
    struct dsnd_buf out = DSND_BUF_INIT(SMTP_REPLY_LINE_MAX);

    if (kind != SMTP_KIND_TLS && !smtp_reply_add(&out, reply))
        (void)!send(fd, out.ptr, out.len, MSG_NOSIGNAL);
    dsnd_buf_done(&out);
    (void)close(fd);
}

bool smtp_loop_admits(struct smtp_loop *self, const struct sockaddr *client,
                      const struct smtp_peer_limits *limits, enum smtp_reply *ret_refusal)
{
    struct smtp_peers *peers = self->shared->peers;
    struct smtp_peer_key key = smtp_peer_key_of(client);
    enum smtp_peers_answer answer =
        smtp_peers_enter(peers, &key, limits, dsnd_clock_monotonic_ms());
    char peer[SMTP_LISTEN_TEXT_SIZE];

    if (answer == SMTP_PEERS_ENTERED)
        return true;
    *ret_refusal = answer == SMTP_PEERS_FULL ? SMTP_REPLY_CLIENT_LIMIT : SMTP_REPLY_CLIENT_RATE;
    metrics_add(answer == SMTP_PEERS_FULL ? METRIC_SMTP_REFUSED_CLIENT : METRIC_SMTP_REFUSED_RATE,
                1);
    smtp_talkers_count(&self->shared->talkers, &key);
    if (smtp_peers_refused_first(peers, &key)) {
        smtp_listen_text(client, peer);
        log_event(LOG_LEVEL_WARN, "smtp.refuse", "peer=%s reason=%s", peer,
                  smtp_reply_text(*ret_refusal)->reason);
    }
    return false;
}

static void admit(struct smtp_loop *self, struct smtp_arrival *arrival)
{
    struct smtp_generation *generation = smtp_shared_acquire(self->shared);
    uint64_t max_connections = generation->max_connections;
    struct smtp_peer_limits limits = generation->peer_limits;
    enum smtp_reply refusal;

    arrival->proxied = smtp_networks_hold(&generation->proxies, arrival->address);
    smtp_shared_release(self->shared, generation);
    if (!arrival->proxied && !smtp_loop_admits(self, arrival->address, &limits, &refusal)) {
        turn_away(arrival->fd, arrival->kind, refusal);
        return;
    }
    arrival->counted = !arrival->proxied;
    /* A loop without connections takes one in any case: it cannot make room in another loop. */
    if (atomic_load(&self->shared->sessions) >= max_connections && !evict_one(self) &&
        self->conn_count > 0) {
        metrics_add(METRIC_SMTP_REFUSED_FULL, 1);
        if (arrival->counted)
            smtp_peers_leave(self->shared->peers, &arrival->key, dsnd_clock_monotonic_ms());
        turn_away(arrival->fd, arrival->kind, SMTP_REPLY_FULL);
        return;
    }
    smtp_conn_start(self, arrival);
}

static void pause_accepting(struct smtp_loop *self, const char *reason)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();

    for (size_t i = 0; i < self->listener_count; i++)
        (void)event_del(self->listeners[i].event);
    self->paused_until_ms = now_ms + ACCEPT_PAUSE_MS;
    metrics_add(METRIC_SMTP_ACCEPT_PAUSED, 1);
    (void)evict_one(self);
    if (now_ms < self->pause_log_ms)
        return;
    self->pause_log_ms = now_ms + PAUSE_LOG_MS;
    log_event(LOG_LEVEL_WARN, "smtp.accept_paused", "reason=%s sessions=%zu", reason,
              self->conn_count);
}

static void on_arrival(evutil_socket_t fd, short what, void *context)
{
    struct smtp_listener *listener = context;

    (void)what;
    for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage storage = {0};
        struct sockaddr *address = (struct sockaddr *)&storage;
        struct smtp_arrival arrival = {.kind = listener->kind, .address = address};
        socklen_t len = sizeof(storage);

        arrival.fd = accept4(fd, address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (arrival.fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                pause_accepting(listener->loop, "descriptors");
            return;
        }
        arrival.key = smtp_peer_key_of(address);
        admit(listener->loop, &arrival);
    }
}

static void close_listeners(struct smtp_loop *self)
{
    for (size_t i = 0; i < self->listener_count; i++) {
        event_free(self->listeners[i].event);
        (void)close(self->listeners[i].fd);
    }
    self->listener_count = 0;
}

/* ---- time and wake-ups ---- */

static void end_if_empty(struct smtp_loop *self)
{
    if (self->draining && self->conn_count == 0)
        (void)event_base_loopbreak(self->base);
}

static void drain_all(struct smtp_loop *self, bool now)
{
    struct smtp_conn *next;

    for (struct smtp_conn *conn = TAILQ_FIRST(&self->conns); conn; conn = next) {
        next = TAILQ_NEXT(conn, link);
        smtp_conn_drain(conn, now);
    }
}

static void begin_drain(struct smtp_loop *self)
{
    struct smtp_generation *generation = smtp_shared_acquire(self->shared);

    self->draining = true;
    self->drain_end_ms = dsnd_clock_monotonic_ms() + generation->drain_timeout_ms;
    smtp_shared_release(self->shared, generation);
    close_listeners(self);
    drain_all(self, false);
}

static void resume_accepting(struct smtp_loop *self)
{
    self->paused_until_ms = 0;
    for (size_t i = 0; i < self->listener_count; i++)
        if (event_add(self->listeners[i].event, NULL) != 0)
            self->paused_until_ms = dsnd_clock_monotonic_ms() + ACCEPT_PAUSE_MS;
}

/* Once a minute, by whichever loop comes first: whom an operator may want to look at. */
static void tell_talkers(struct smtp_loop *self, int64_t now_ms)
{
    struct smtp_talker top[SMTP_TALKERS_TOLD];
    unsigned count = smtp_talkers_top(&self->shared->talkers, now_ms, top);
    char peer[SMTP_LISTEN_TEXT_SIZE];

    for (unsigned i = 0; i < count; i++) {
        smtp_talkers_text(&top[i].key, peer);
        log_event(LOG_LEVEL_WARN, "smtp.top_talker", "rank=%u peer=%s refusals_a_minute=%" PRIu64,
                  i + 1, peer, top[i].refusals);
    }
}

/* The session that burdens the memory most; NULL: none does. */
static struct smtp_conn *heaviest(struct smtp_loop *self, int64_t now_ms)
{
    struct smtp_conn *worst = NULL;
    struct smtp_conn *conn;
    uint64_t most = 0;

    TAILQ_FOREACH(conn, &self->conns, link)
    {
        uint64_t burden = smtp_conn_burden(conn, now_ms);

        if (burden > most) {
            most = burden;
            worst = conn;
        }
    }
    return worst;
}

/* Memory is short: end who holds most for the least progress, so that others find some. */
static void relieve(struct smtp_loop *self, int64_t now_ms)
{
    for (unsigned i = 0; i < RELIEVED && smtp_budget_pressed(&self->shared->budget); i++) {
        struct smtp_conn *worst = heaviest(self, now_ms);

        if (!worst)
            break;
        smtp_conn_relieve(worst);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct smtp_loop *self = context;
    int64_t now_ms = dsnd_clock_monotonic_ms();
    struct smtp_conn *next;

    (void)fd;
    (void)what;
    if (self->draining && now_ms >= self->drain_end_ms)
        drain_all(self, true);
    for (struct smtp_conn *conn = TAILQ_FIRST(&self->conns); conn; conn = next) {
        next = TAILQ_NEXT(conn, link);
        smtp_conn_check(conn, now_ms);
    }
    relieve(self, now_ms);
    tell_talkers(self, now_ms);
    metrics_set(METRIC_SMTP_MEMORY, atomic_load(&self->shared->budget.used));
    if (self->paused_until_ms && now_ms >= self->paused_until_ms)
        resume_accepting(self);
    end_if_empty(self);
}

static struct smtp_conn *take_done(struct smtp_loop *self)
{
    struct smtp_conn *done;

    (void)pthread_mutex_lock(&self->done_lock);
    done = self->done;
    self->done = NULL;
    (void)pthread_mutex_unlock(&self->done_lock);
    return done;
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct smtp_loop *self = context;
    struct smtp_conn *next;
    uint64_t count;

    (void)what;
    (void)!read(fd, &count, sizeof(count));
    for (struct smtp_conn *conn = take_done(self); conn; conn = next) {
        next = conn->next_done;
        smtp_conn_returned(conn);
    }
    if (!self->draining && atomic_load(&self->shared->draining))
        begin_drain(self);
    end_if_empty(self);
}

void smtp_loop_wake(struct smtp_loop *self)
{
    static const uint64_t one = 1;

    /* It can only fail when the counter is full, and then the loop is awake anyway. */
    (void)!write(self->wake_fd, &one, sizeof(one));
}

/* ---- life ---- */

enum dsnd_err smtp_loop_new(struct smtp_shared *shared, struct smtp_loop **ret_loop)
{
    static const struct timeval tick = {0, SMTP_TICK_MS * 1000};
    struct smtp_loop *self = calloc(1, sizeof(*self));
    enum dsnd_err err = DSND_ERR_NOMEM;

    if (!self)
        return err;
    self->shared = shared;
    TAILQ_INIT(&self->conns);
    for (size_t i = 0; i < SMTP_EVICTABLE_COUNT; i++)
        TAILQ_INIT(&self->evictable[i]);
    (void)pthread_mutex_init(&self->done_lock, NULL);
    self->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (self->wake_fd < 0) {
        err = DSND_ERR_IO;
        goto out;
    }
    self->base = event_base_new();
    if (!self->base)
        goto out;
    self->wake = event_new(self->base, self->wake_fd, EV_READ | EV_PERSIST, on_wake, self);
    self->tick = event_new(self->base, -1, EV_PERSIST, on_tick, self);
    if (!self->wake || !self->tick || event_add(self->wake, NULL) != 0 ||
        event_add(self->tick, &tick) != 0)
        goto out;
    err = DSND_OK;
out:
    if (err)
        smtp_loop_free(self);
    else
        *ret_loop = self;
    return err;
}

enum dsnd_err smtp_loop_listen(struct smtp_loop *self, int fd, enum smtp_kind kind)
{
    struct smtp_listener *listener = &self->listeners[self->listener_count];

    assert(self->listener_count < SMTP_ADDRESSES_MAX);
    *listener = (struct smtp_listener){.fd = fd, .kind = kind, .loop = self};
    listener->event = event_new(self->base, fd, EV_READ | EV_PERSIST, on_arrival, listener);
    if (!listener->event) {
        (void)close(fd);
        return DSND_ERR_NOMEM;
    }
    self->listener_count++;
    return event_add(listener->event, NULL) == 0 ? DSND_OK : DSND_ERR_NOMEM;
}

static void *run(void *context)
{
    struct smtp_loop *self = context;

    (void)event_base_dispatch(self->base);
    return NULL;
}

enum dsnd_err smtp_loop_start(struct smtp_loop *self)
{
    sigset_t all;
    sigset_t before;
    int failed;

    /* Signals belong to the main thread; SIGPIPE, which TLS can raise, to no one. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&self->thread, NULL, run, self);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? DSND_ERR_IO : DSND_OK;
}

void smtp_loop_join(struct smtp_loop *self)
{
    (void)pthread_join(self->thread, NULL);
}

void smtp_loop_free(struct smtp_loop *self)
{
    if (!self)
        return;
    assert(self->conn_count == 0);
    close_listeners(self);
    if (self->tick)
        event_free(self->tick);
    if (self->wake)
        event_free(self->wake);
    if (self->base)
        event_base_free(self->base);
    if (self->wake_fd >= 0)
        (void)close(self->wake_fd);
    (void)pthread_mutex_destroy(&self->done_lock);
    free(self);
}
