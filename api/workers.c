#include "api/workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "api/request.h"

struct workers {
    pthread_mutex_t mutex;
    pthread_cond_t added;
    struct request *first;
    struct request **last;
    bool stopping;
    unsigned started;
    pthread_t threads[];
};

/* The next request, waiting for one; NULL at the end. */
static struct request *next(struct workers *self)
{
    struct request *request;

    (void)pthread_mutex_lock(&self->mutex);
    while (!self->first && !self->stopping)
        (void)pthread_cond_wait(&self->added, &self->mutex);
    request = self->first;
    if (request) {
        self->first = request->work.next;
        if (!self->first)
            self->last = &self->first;
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return request;
}

static void *run(void *arg)
{
    struct workers *self = arg;
    struct request *request;

    while ((request = next(self)))
        request->work.run(request);
    return NULL;
}

enum dsnd_err workers_new(unsigned count, struct workers **ret_workers)
{
    struct workers *self = calloc(1, sizeof(*self) + count * sizeof(*self->threads));

    if (!self)
        return DSND_ERR_NOMEM;
    self->last = &self->first;
    if (pthread_mutex_init(&self->mutex, NULL) != 0)
        goto no_mutex;
    if (pthread_cond_init(&self->added, NULL) != 0)
        goto no_condition;
    while (self->started < count &&
           pthread_create(&self->threads[self->started], NULL, run, self) == 0)
        self->started++;
    if (self->started < count) {
        workers_free(self);
        return DSND_ERR_IO;
    }
    *ret_workers = self;
    return DSND_OK;
no_condition:
    (void)pthread_mutex_destroy(&self->mutex);
no_mutex:
    free(self);
    return DSND_ERR_IO;
}

void workers_free(struct workers *self)
{
    if (!self)
        return;
    (void)pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    (void)pthread_cond_broadcast(&self->added);
    (void)pthread_mutex_unlock(&self->mutex);
    for (unsigned i = 0; i < self->started; i++)
        (void)pthread_join(self->threads[i], NULL);
    (void)pthread_cond_destroy(&self->added);
    (void)pthread_mutex_destroy(&self->mutex);
    free(self);
}

void workers_add(struct workers *self, struct request *request,
                 void (*work)(struct request *request))
{
    (void)pthread_mutex_lock(&self->mutex);
    request->work = (struct request_work){.run = work};
    *self->last = request;
    self->last = &request->work.next;
    (void)pthread_cond_signal(&self->added);
    (void)pthread_mutex_unlock(&self->mutex);
}
