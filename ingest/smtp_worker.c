#include "ingest/smtp_worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct smtp_worker {
    pthread_t thread;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    struct smtp_work *first;
    struct smtp_work *last;
    bool ending;
};

/* The next piece, or NULL at the end. */
static struct smtp_work *take(struct smtp_worker *self)
{
    struct smtp_work *work;

    (void)pthread_mutex_lock(&self->lock);
    while (!self->first && !self->ending)
        (void)pthread_cond_wait(&self->changed, &self->lock);
    work = self->first;
    if (work)
        self->first = work->next;
    (void)pthread_mutex_unlock(&self->lock);
    return work;
}

static void *run(void *context)
{
    struct smtp_work *work;

    while ((work = take(context)))
        work->run(work->context);
    return NULL;
}

enum dsnd_err smtp_worker_new(struct smtp_worker **ret_worker)
{
    struct smtp_worker *self = calloc(1, sizeof(*self));
    sigset_t all;
    sigset_t before;
    int failed;

    if (!self)
        return DSND_ERR_NOMEM;
    (void)pthread_mutex_init(&self->lock, NULL);
    (void)pthread_cond_init(&self->changed, NULL);
    (void)sigfillset(&all); /* signals belong to the main thread */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&self->thread, NULL, run, self);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        (void)pthread_cond_destroy(&self->changed);
        (void)pthread_mutex_destroy(&self->lock);
        free(self);
        return DSND_ERR_IO;
    }
    *ret_worker = self;
    return DSND_OK;
}

void smtp_worker_free(struct smtp_worker *self)
{
    if (!self)
        return;
    (void)pthread_mutex_lock(&self->lock);
    assert(!self->first);
    self->ending = true;
    (void)pthread_cond_signal(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
    (void)pthread_join(self->thread, NULL);
    (void)pthread_cond_destroy(&self->changed);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}

void smtp_worker_put(struct smtp_worker *self, struct smtp_work *work)
{
    work->next = NULL;
    (void)pthread_mutex_lock(&self->lock);
    if (self->first)
        self->last->next = work;
    else
        self->first = work;
    self->last = work;
    (void)pthread_cond_signal(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
}
