#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/pg.h"
#include "store/store.h"

struct store_pool {
    char *url;
    char *application;
    pthread_mutex_t lock;
    pthread_cond_t returned;
    size_t size;
    size_t made;              /* connections that exist or are being made */
    size_t idle_count;        /* of them waiting in `idle` */
    struct store_conn **idle; /* the last given back is taken first: it is warm */
    char error[PG_ERROR_SIZE];
};

enum dsnd_err store_pool_new(const char *url, const char *application, size_t size,
                             struct store_pool **ret_pool)
{
    struct store_pool *self = calloc(1, sizeof(*self));
    pthread_condattr_t attr;
    bool ok;

    assert(size > 0);
    if (!self)
        return DSND_ERR_NOMEM;
    self->url = strdup(url);
    self->application = strdup(application);
    self->idle = calloc(size, sizeof(struct store_conn *));
    self->size = size;
    ok = self->url && self->application && self->idle && pthread_condattr_init(&attr) == 0;
    if (ok) {
        ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
             pthread_cond_init(&self->returned, &attr) == 0;
        (void)pthread_condattr_destroy(&attr);
    }
    if (!ok || pthread_mutex_init(&self->lock, NULL) != 0) {
        free(self->url);
        free(self->application);
        free(self->idle);
        free(self);
        return DSND_ERR_NOMEM;
    }
    *ret_pool = self;
    return DSND_OK;
}

void store_pool_free(struct store_pool *self)
{
    if (!self)
        return;
    assert(self->made == self->idle_count);
    for (size_t i = 0; i < self->idle_count; i++)
        store_conn_free(self->idle[i]);
    (void)pthread_cond_destroy(&self->returned);
    (void)pthread_mutex_destroy(&self->lock);
    free(self->url);
    free(self->application);
    free(self->idle);
    free(self);
}

static void lock(struct store_pool *self)
{
    int failed = pthread_mutex_lock(&self->lock);

    assert(!failed);
    (void)failed;
}

static void unlock(struct store_pool *self)
{
    int failed = pthread_mutex_unlock(&self->lock);

    assert(!failed);
    (void)failed;
}

static void keep_error(struct store_pool *self, const char *text)
{
    if (snprintf(self->error, sizeof(self->error), "%s", text) < 0)
        self->error[0] = '\0';
}

static struct timespec deadline_in(unsigned timeout_ms)
{
    struct timespec at = {0, 0};

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += timeout_ms / 1000;
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* With the lock held: an idle connection, or the right to make one (`*ret_conn` NULL). */
static enum dsnd_err wait_for_one(struct store_pool *self, unsigned timeout_ms,
                                  struct store_conn **ret_conn)
{
    struct timespec deadline = deadline_in(timeout_ms);

    *ret_conn = NULL;
    while (!self->idle_count && self->made == self->size) {
        if (pthread_cond_timedwait(&self->returned, &self->lock, &deadline) == ETIMEDOUT) {
            keep_error(self, "all connections to PostgreSQL are in use");
            return DSND_ERR_UNAVAILABLE;
        }
    }
    if (self->idle_count)
        *ret_conn = self->idle[--self->idle_count];
    else
        self->made++;
    return DSND_OK;
}

enum dsnd_err store_pool_take(struct store_pool *self, unsigned timeout_ms,
                              struct store_conn **ret_conn)
{
    struct store_conn *conn = NULL;
    enum dsnd_err err;

    lock(self);
    err = wait_for_one(self, timeout_ms, &conn);
    unlock(self);
    if (err)
        return err;
    if (conn && !pg_alive(conn)) {
        store_conn_free(conn);
        conn = NULL;
    }
    if (!conn) /* without the lock: connecting takes its time */
        err = store_connect(self->url, self->application, &conn);
    if (!err) {
        *ret_conn = conn;
        return DSND_OK;
    }
    lock(self);
    self->made--;
    keep_error(self, conn ? store_conn_error(conn) : dsnd_err_text(err));
    (void)pthread_cond_signal(&self->returned);
    unlock(self);
    store_conn_free(conn);
    return err;
}

void store_pool_give(struct store_pool *self, struct store_conn *conn)
{
    bool keep;

    if (!conn)
        return;
    pg_rollback(conn);
    keep = pg_alive(conn);
    if (!keep)
        store_conn_free(conn);
    lock(self);
    if (keep)
        self->idle[self->idle_count++] = conn;
    else
        self->made--;
    (void)pthread_cond_signal(&self->returned);
    unlock(self);
}

void store_pool_error(struct store_pool *self, char *dst, size_t size)
{
    lock(self);
    if (snprintf(dst, size, "%s", self->error) < 0)
        dst[0] = '\0';
    unlock(self);
}
