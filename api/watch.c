#include "api/watch.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

enum {
    WATCH_TICK_MS = 250,
    WATCH_LOOK_TICKS = 4, /* between two looks at whether clients left */
};

struct watch_entry {
    struct watch_entry *next;
    struct watch_entry *previous;
    int64_t deadline_ms; /* INT64_MAX once it was shut down */
    int fd;
    bool reading;         /* octets of the client are waited for */
    bool ended;           /* at the last look it had said its last */
    const void *unframed; /* owner, where the end of the connection is the end of the answer */
};

struct watch {
    pthread_mutex_t mutex;
    pthread_cond_t stop_asked;
    pthread_t thread;
    struct watch_entry *first;
    uint64_t expired;
    bool stopping;
};

/* The server's own loop sees the end and closes; closing is never ours. */
static void cut(struct watch_entry *entry)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    if (entry->unframed)
        (void)connect(entry->fd, &nobody, sizeof(nobody)); /* which resets it */
    else
        (void)shutdown(entry->fd, SHUT_RDWR);
    entry->deadline_ms = INT64_MAX;
}

static void expire(struct watch *self)
{
    int64_t now = dsnd_clock_monotonic_ms();

    for (struct watch_entry *e = self->first; e; e = e->next) {
        if (e->deadline_ms > now)
            continue;
        cut(e);
        self->expired++;
    }
}

static bool has_ended(const struct watch_entry *entry)
{
    struct pollfd fd = {.fd = entry->fd, .events = POLLRDHUP};

    return poll(&fd, 1, 0) > 0;
}

/* Let those go who said their last before the last look: by now all of it has been read. */
static void let_go(struct watch *self)
{
    for (struct watch_entry *e = self->first; e; e = e->next) {
        bool ended = e->reading && e->deadline_ms != INT64_MAX && has_ended(e);

        if (ended && e->ended)
            cut(e);
        e->ended = ended;
    }
}

static void *run(void *arg)
{
    struct watch *self = arg;
    unsigned ticks = 0;

    (void)pthread_mutex_lock(&self->mutex);
    while (!self->stopping) {
        int64_t until = dsnd_clock_monotonic_ms() + WATCH_TICK_MS;
        struct timespec at = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};

        expire(self);
        if (ticks++ % WATCH_LOOK_TICKS == 0)
            let_go(self);
        (void)pthread_cond_clockwait(&self->stop_asked, &self->mutex, CLOCK_MONOTONIC, &at);
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return NULL;
}

enum dsnd_err watch_new(struct watch **ret_watch)
{
    struct watch *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    if (pthread_mutex_init(&self->mutex, NULL) != 0)
        goto no_mutex;
    if (pthread_cond_init(&self->stop_asked, NULL) != 0)
        goto no_condition;
    if (pthread_create(&self->thread, NULL, run, self) != 0)
        goto no_thread;
    *ret_watch = self;
    return DSND_OK;
no_thread:
    (void)pthread_cond_destroy(&self->stop_asked);
no_condition:
    (void)pthread_mutex_destroy(&self->mutex);
no_mutex:
    free(self);
    return DSND_ERR_IO;
}

void watch_free(struct watch *self)
{
    if (!self)
        return;
    (void)pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    (void)pthread_cond_signal(&self->stop_asked);
    (void)pthread_mutex_unlock(&self->mutex);
    (void)pthread_join(self->thread, NULL);
    (void)pthread_cond_destroy(&self->stop_asked);
    (void)pthread_mutex_destroy(&self->mutex);
    free(self);
}

struct watch_entry *watch_add(struct watch *self, int fd, int64_t ms)
{
    struct watch_entry *entry = calloc(1, sizeof(*entry));

    if (!entry)
        return NULL;
    entry->fd = fd;
    entry->reading = true;
    entry->deadline_ms = dsnd_clock_monotonic_ms() + ms;
    (void)pthread_mutex_lock(&self->mutex);
    entry->next = self->first;
    if (self->first)
        self->first->previous = entry;
    self->first = entry;
    (void)pthread_mutex_unlock(&self->mutex);
    return entry;
}

void watch_set(struct watch *self, struct watch_entry *entry, int64_t ms)
{
    if (!entry)
        return;
    (void)pthread_mutex_lock(&self->mutex);
    if (entry->deadline_ms != INT64_MAX)
        entry->deadline_ms = dsnd_clock_monotonic_ms() + ms;
    (void)pthread_mutex_unlock(&self->mutex);
}

void watch_reading(struct watch *self, struct watch_entry *entry, bool on)
{
    if (!entry)
        return;
    (void)pthread_mutex_lock(&self->mutex);
    entry->reading = on;
    entry->ended = false;
    (void)pthread_mutex_unlock(&self->mutex);
}

void watch_unframed(struct watch *self, struct watch_entry *entry, const void *owner)
{
    if (!entry)
        return;
    (void)pthread_mutex_lock(&self->mutex);
    entry->unframed = owner;
    (void)pthread_mutex_unlock(&self->mutex);
}

void watch_reset(struct watch *self, const void *owner)
{
    (void)pthread_mutex_lock(&self->mutex);
    for (struct watch_entry *e = self->first; e; e = e->next)
        if (e->unframed == owner)
            cut(e);
    (void)pthread_mutex_unlock(&self->mutex);
}

void watch_break(struct watch *self, struct watch_entry *entry)
{
    if (!entry)
        return;
    (void)pthread_mutex_lock(&self->mutex);
    if (entry->unframed)
        cut(entry);
    (void)pthread_mutex_unlock(&self->mutex);
}

void watch_remove(struct watch *self, struct watch_entry *entry)
{
    if (!entry)
        return;
    (void)pthread_mutex_lock(&self->mutex);
    if (entry->previous)
        entry->previous->next = entry->next;
    else
        self->first = entry->next;
    if (entry->next)
        entry->next->previous = entry->previous;
    (void)pthread_mutex_unlock(&self->mutex);
    free(entry);
}

uint64_t watch_expired(struct watch *self)
{
    uint64_t expired;

    (void)pthread_mutex_lock(&self->mutex);
    expired = self->expired;
    (void)pthread_mutex_unlock(&self->mutex);
    return expired;
}
