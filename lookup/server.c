#include "lookup/server.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "lookup/conn.h"

enum {
    LISTENERS_MAX = 32,
    ACCEPT_BATCH = 64,
    TICK_MS = 100,
    ACCEPT_PAUSE_MS = 200, /* without descriptors */
};

struct listener {
    struct lookup_server *server;
    enum lookup_protocol protocol;
    int fd;
    struct event *event;
};

struct lookup_server {
    struct lookup_shared shared;
    int wake_fd;
    struct event *wake;
    struct event *tick;
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    int64_t paused_until_ms; /* accepting goes on then; 0: it is not paused */
    pthread_mutex_t lock;
    struct lookup_settings next; /* under `lock`: what a reload brought, where has_next */
    bool has_next;
    _Atomic bool stopping;
    bool started;
    pthread_t thread;
};

/* ---- accepting ---- */

static void set_accepting(struct lookup_server *self, bool on)
{
    for (size_t i = 0; i < self->listener_count; i++)
        (void)(on ? event_add(self->listeners[i].event, NULL)
                  : event_del(self->listeners[i].event));
    self->paused_until_ms = on ? 0 : dsnd_clock_monotonic_ms() + ACCEPT_PAUSE_MS;
}

static void on_arrival(evutil_socket_t fd, short what, void *context)
{
    struct listener *listener = context;
    struct lookup_server *self = listener->server;
    struct lookup_shared *shared = &self->shared;

    (void)what;
    for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
        int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                (void)lookup_conns_evict(shared);
                set_accepting(self, false);
            }
            return;
        }
        if (shared->conn_count >= shared->settings.max_connections && !lookup_conns_evict(shared))
            (void)close(client);
        else if (lookup_conn_start(shared, client, listener->protocol))
            log_event(LOG_LEVEL_WARN, "lookup.connection", "error=\"no memory\"");
    }
}

/* ---- the loop ---- */

static void use_next(struct lookup_server *self)
{
    (void)pthread_mutex_lock(&self->lock);
    if (self->has_next) {
        self->next.backend = self->shared.settings.backend;
        self->next.threads = self->shared.settings.threads;
        self->shared.settings = self->next;
    }
    self->has_next = false;
    (void)pthread_mutex_unlock(&self->lock);
}

static void on_wake(evutil_socket_t fd, short what, void *context)
{
    struct lookup_server *self = context;
    struct lookup_request_list done;
    uint64_t count;

    (void)what;
    (void)!read(fd, &count, sizeof(count));
    use_next(self);
    lookup_queue_take(self->shared.queue, &done);
    while (!STAILQ_EMPTY(&done)) {
        struct lookup_request *request = STAILQ_FIRST(&done);

        STAILQ_REMOVE_HEAD(&done, in_queue);
        lookup_conn_answered(request);
    }
    if (atomic_load(&self->stopping))
        (void)event_base_loopbreak(self->shared.base);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct lookup_server *self = context;
    int64_t now_ms = dsnd_clock_monotonic_ms();

    (void)fd;
    (void)what;
    lookup_conns_check(&self->shared, now_ms);
    if (self->paused_until_ms && now_ms >= self->paused_until_ms)
        set_accepting(self, true);
}

static void *run(void *context)
{
    struct lookup_server *self = context;

    (void)event_base_dispatch(self->shared.base);
    return NULL;
}

/* ---- life ---- */

static enum dsnd_err make_events(struct lookup_server *self)
{
    static const struct timeval tick = {0, TICK_MS * 1000};

    self->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (self->wake_fd < 0)
        return DSND_ERR_IO;
    self->shared.base = event_base_new();
    if (!self->shared.base)
        return DSND_ERR_NOMEM;
    self->wake = event_new(self->shared.base, self->wake_fd, EV_READ | EV_PERSIST, on_wake, self);
    self->tick = event_new(self->shared.base, -1, EV_PERSIST, on_tick, self);
    if (!self->wake || !self->tick || event_add(self->wake, NULL) != 0 ||
        event_add(self->tick, &tick) != 0)
        return DSND_ERR_NOMEM;
    return DSND_OK;
}

enum dsnd_err lookup_server_new(const struct lookup_settings *settings,
                                struct lookup_server **ret_server)
{
    struct lookup_server *self = calloc(1, sizeof(*self));
    enum dsnd_err err;

    if (!self)
        return DSND_ERR_NOMEM;
    self->shared.settings = *settings;
    TAILQ_INIT(&self->shared.conns);
    (void)pthread_mutex_init(&self->lock, NULL);
    err = make_events(self);
    if (err)
        lookup_server_free(self);
    else
        *ret_server = self;
    return err;
}

enum dsnd_err lookup_server_listen(struct lookup_server *self, int fd,
                                   enum lookup_protocol protocol)
{
    struct listener *listener = &self->listeners[self->listener_count];

    assert(self->listener_count < LISTENERS_MAX);
    *listener = (struct listener){.server = self, .protocol = protocol, .fd = fd};
    listener->event = event_new(self->shared.base, fd, EV_READ | EV_PERSIST, on_arrival, listener);
    if (!listener->event) {
        (void)close(fd);
        return DSND_ERR_NOMEM;
    }
    self->listener_count++;
    return event_add(listener->event, NULL) == 0 ? DSND_OK : DSND_ERR_NOMEM;
}

enum dsnd_err lookup_server_start(struct lookup_server *self)
{
    sigset_t all;
    sigset_t before;
    enum dsnd_err err;

    /* Signals belong to the main thread. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    err = lookup_queue_new(&self->shared.settings.backend, self->shared.settings.threads,
                           self->wake_fd, &self->shared.queue);
    if (!err && pthread_create(&self->thread, NULL, run, self) != 0)
        err = DSND_ERR_IO;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    self->started = !err;
    return err;
}

static void wake_loop(struct lookup_server *self)
{
    static const uint64_t one = 1;

    (void)!write(self->wake_fd, &one, sizeof(one));
}

void lookup_server_reload(struct lookup_server *self, const struct lookup_settings *settings)
{
    (void)pthread_mutex_lock(&self->lock);
    self->next = *settings;
    self->has_next = true;
    (void)pthread_mutex_unlock(&self->lock);
    wake_loop(self);
}

static void stop(struct lookup_server *self)
{
    if (!self->started)
        return;
    atomic_store(&self->stopping, true);
    wake_loop(self);
    (void)pthread_join(self->thread, NULL);
}

void lookup_server_free(struct lookup_server *self)
{
    if (!self)
        return;
    stop(self);
    while (!TAILQ_EMPTY(&self->shared.conns))
        lookup_conn_free(TAILQ_FIRST(&self->shared.conns));
    lookup_queue_free(self->shared.queue);
    for (size_t i = 0; i < self->listener_count; i++) {
        event_free(self->listeners[i].event);
        (void)close(self->listeners[i].fd);
    }
    if (self->tick)
        event_free(self->tick);
    if (self->wake)
        event_free(self->wake);
    if (self->shared.base)
        event_base_free(self->shared.base);
    if (self->wake_fd >= 0)
        (void)close(self->wake_fd);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}
