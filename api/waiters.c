#include "api/waiters.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/daemon.h"
#include "api/request.h"
#include "base/clock.h"
#include "store/query_suppression.h"

enum {
    WAITERS_LOOK_MS = 200,
    WAITERS_MAX = 1000, /* at one time; more are answered at once */
};

struct waiter {
    struct waiter *next;
    struct request *request;
    int64_t after;
    int64_t until_ms;
};

struct waiters {
    struct database *database;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    struct waiter *first;
    size_t count;
    bool stopping;
    bool joined;
};

static void resume(struct waiter *waiter, bool over)
{
    waiter->request->wait_over = over;
    daemon_resume(waiter->request);
    free(waiter);
}

/* With the mutex held: resume those who need not wait any longer. */
static void settle(struct waiters *self, int64_t seq)
{
    int64_t now = dsnd_clock_monotonic_ms();
    struct waiter **link = &self->first;

    while (*link) {
        struct waiter *waiter = *link;
        bool over = self->stopping || waiter->until_ms <= now;

        if (!over && waiter->after >= seq) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        self->count--;
        resume(waiter, over);
    }
}

/* The newest number, or 0 while the database is away: then only time ends the waiting. */
static int64_t look(struct waiters *self)
{
    struct store_conn *conn = NULL;
    int64_t seq = 0;

    if (database_take(self->database, &conn) != DSND_OK)
        return 0;
    if (store_suppression_clock(conn, &seq) != DSND_OK)
        seq = 0;
    database_give(self->database, conn);
    return seq;
}

static void *run(void *arg)
{
    struct waiters *self = arg;

    (void)pthread_mutex_lock(&self->mutex);
    while (!self->stopping) {
        struct timespec at;
        int64_t until;
        int64_t seq;

        if (!self->first) {
            (void)pthread_cond_wait(&self->changed, &self->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&self->mutex);
        seq = look(self);
        (void)pthread_mutex_lock(&self->mutex);
        settle(self, seq);
        until = dsnd_clock_monotonic_ms() + WAITERS_LOOK_MS;
        at = (struct timespec){.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
        if (!self->stopping)
            (void)pthread_cond_clockwait(&self->changed, &self->mutex, CLOCK_MONOTONIC, &at);
    }
    settle(self, 0);
    (void)pthread_mutex_unlock(&self->mutex);
    return NULL;
}

enum dsnd_err waiters_new(struct database *database, struct waiters **ret_waiters)
{
    struct waiters *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    self->database = database;
    if (pthread_mutex_init(&self->mutex, NULL) != 0)
        goto no_mutex;
    if (pthread_cond_init(&self->changed, NULL) != 0)
        goto no_condition;
    if (pthread_create(&self->thread, NULL, run, self) != 0)
        goto no_thread;
    *ret_waiters = self;
    return DSND_OK;
no_thread:
    (void)pthread_cond_destroy(&self->changed);
no_condition:
    (void)pthread_mutex_destroy(&self->mutex);
no_mutex:
    free(self);
    return DSND_ERR_IO;
}

void waiters_stop(struct waiters *self)
{
    if (!self || self->joined)
        return;
    self->joined = true;
    (void)pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    (void)pthread_cond_signal(&self->changed);
    (void)pthread_mutex_unlock(&self->mutex);
    (void)pthread_join(self->thread, NULL);
}

void waiters_free(struct waiters *self)
{
    if (!self)
        return;
    (void)pthread_cond_destroy(&self->changed);
    (void)pthread_mutex_destroy(&self->mutex);
    free(self);
}

void waiters_hurry(struct waiters *self)
{
    (void)pthread_mutex_lock(&self->mutex);
    for (struct waiter *waiter = self->first; waiter; waiter = waiter->next)
        waiter->until_ms = 0;
    (void)pthread_cond_signal(&self->changed);
    (void)pthread_mutex_unlock(&self->mutex);
}

bool waiters_add(struct waiters *self, struct request *request)
{
    struct waiter *waiter = calloc(1, sizeof(*waiter));
    bool added = false;

    if (!waiter)
        return false;
    *waiter = (struct waiter){.request = request,
                              .after = request->wait_after,
                              .until_ms = dsnd_clock_monotonic_ms() + request->wait_ms};
    (void)pthread_mutex_lock(&self->mutex);
    if (!self->stopping && self->count < WAITERS_MAX) {
        waiter->next = self->first;
        self->first = waiter;
        self->count++;
        added = true;
        (void)pthread_cond_signal(&self->changed);
    }
    (void)pthread_mutex_unlock(&self->mutex);
    if (!added)
        free(waiter);
    return added;
}
