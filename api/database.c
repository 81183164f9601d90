#include "api/database.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    DATABASE_WAIT_MS = 80,    /* for a connection that others use */
    DATABASE_RETRY_MS = 250,  /* between attempts while the database is away */
    DATABASE_FIRST_MS = 1000, /* for the first attempt, before anybody is served */
    DATABASE_STEPS = 8,       /* of the limit of statements: few sessions need be told another */
};

struct database {
    struct store_pool *pool;
    unsigned limit_ms;
    size_t keep; /* connections that may still be kept */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    enum dsnd_err state; /* why connections are refused; DSND_OK while they are not */
    bool tried;          /* the first attempt is over */
    bool stopping;
};

static enum dsnd_err get_state(struct database *self)
{
    enum dsnd_err state;

    (void)pthread_mutex_lock(&self->mutex);
    state = self->state;
    (void)pthread_mutex_unlock(&self->mutex);
    return state;
}

static void set_state(struct database *self, enum dsnd_err state)
{
    (void)pthread_mutex_lock(&self->mutex);
    self->state = state;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->mutex);
}

static void try_again(struct database *self)
{
    struct store_conn *conn = NULL;
    enum dsnd_err err = store_pool_take(self->pool, DATABASE_WAIT_MS, &conn);

    store_pool_give(self->pool, conn);
    (void)pthread_mutex_lock(&self->mutex);
    self->state = err;
    self->tried = true;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->mutex);
}

static struct timespec time_in(long ms)
{
    struct timespec at = {0, 0};

    (void)clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000L;
    at.tv_nsec %= 1000000000L;
    return at;
}

/* Give the first attempt a moment, so that who asks at once is not told that it failed. */
static void await_first(struct database *self)
{
    struct timespec until = time_in(DATABASE_FIRST_MS);

    (void)pthread_mutex_lock(&self->mutex);
    while (!self->tried &&
           pthread_cond_timedwait(&self->changed, &self->mutex, &until) != ETIMEDOUT)
        continue;
    (void)pthread_mutex_unlock(&self->mutex);
}

/* Until the database is back or `stopping`; called and returns with the mutex held. */
static void *run(void *arg)
{
    struct database *self = arg;

    (void)pthread_mutex_lock(&self->mutex);
    while (!self->stopping) {
        struct timespec at;

        if (self->state == DSND_OK) {
            (void)pthread_cond_wait(&self->changed, &self->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&self->mutex);
        try_again(self);
        at = time_in(DATABASE_RETRY_MS);
        (void)pthread_mutex_lock(&self->mutex);
        if (self->state != DSND_OK && !self->stopping)
            (void)pthread_cond_timedwait(&self->changed, &self->mutex, &at);
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return NULL;
}

enum dsnd_err database_new(const char *url, const char *application, size_t size, size_t keep,
                           unsigned limit_ms, struct database **ret_database)
{
    struct database *self = calloc(1, sizeof(*self));
    enum dsnd_err err;

    if (!self)
        return DSND_ERR_NOMEM;
    /* Until the first attempt has succeeded nobody waits for one. */
    self->state = DSND_ERR_UNAVAILABLE;
    self->limit_ms = limit_ms;
    self->keep = keep;
    err = store_pool_new(url, application, size + keep, &self->pool);
    if (err)
        goto no_pool;
    err = DSND_ERR_IO;
    if (pthread_mutex_init(&self->mutex, NULL) != 0)
        goto no_mutex;
    if (pthread_cond_init(&self->changed, NULL) != 0)
        goto no_condition;
    if (pthread_create(&self->thread, NULL, run, self) != 0)
        goto no_thread;
    await_first(self);
    *ret_database = self;
    return DSND_OK;
no_thread:
    (void)pthread_cond_destroy(&self->changed);
no_condition:
    (void)pthread_mutex_destroy(&self->mutex);
no_mutex:
    store_pool_free(self->pool);
no_pool:
    free(self);
    return err;
}

void database_free(struct database *self)
{
    if (!self)
        return;
    (void)pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    (void)pthread_cond_signal(&self->changed);
    (void)pthread_mutex_unlock(&self->mutex);
    (void)pthread_join(self->thread, NULL);
    (void)pthread_cond_destroy(&self->changed);
    (void)pthread_mutex_destroy(&self->mutex);
    store_pool_free(self->pool);
    free(self);
}

static unsigned limit_of(const struct database *self, int64_t left_ms)
{
    int64_t most = self->limit_ms;
    int64_t steps = left_ms < most ? (left_ms * DATABASE_STEPS + most - 1) / most : DATABASE_STEPS;

    return (unsigned)(most * (steps < 1 ? 1 : steps) / DATABASE_STEPS);
}

enum dsnd_err database_take_for(struct database *self, int64_t left_ms,
                                struct store_conn **ret_conn)
{
    enum dsnd_err err = get_state(self);

    if (err)
        return err;
    err = store_pool_take(self->pool, DATABASE_WAIT_MS, ret_conn);
    if (!err) {
        err = store_conn_limit(*ret_conn, limit_of(self, left_ms));
        if (err) {
            store_pool_give(self->pool, *ret_conn);
            *ret_conn = NULL;
        }
    }
    if (err)
        set_state(self, err); /* others need not wait to learn it */
    return err;
}

enum dsnd_err database_take(struct database *self, struct store_conn **ret_conn)
{
    return database_take_for(self, INT64_MAX, ret_conn);
}

void database_give(struct database *self, struct store_conn *conn)
{
    store_pool_give(self->pool, conn);
}

bool database_keep(struct database *self)
{
    bool free_one;

    (void)pthread_mutex_lock(&self->mutex);
    free_one = self->keep > 0;
    if (free_one)
        self->keep--;
    (void)pthread_mutex_unlock(&self->mutex);
    return free_one;
}

void database_unkeep(struct database *self)
{
    (void)pthread_mutex_lock(&self->mutex);
    self->keep++;
    (void)pthread_mutex_unlock(&self->mutex);
}

bool database_up(struct database *self)
{
    return get_state(self) == DSND_OK;
}

void database_error(struct database *self, char *dst, size_t size)
{
    store_pool_error(self->pool, dst, size);
}
