#include "lookup/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BATCH_MAX = 256,
    WAITING_MAX = 4096,
    THREADS_MAX = 64,
};

struct lookup_queue {
    struct lookup_backend backend;
    int wake_fd;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t filled;
    struct lookup_request_list waiting;
    struct lookup_request_list done;
    size_t waiting_count;
    bool stopping;
    pthread_t threads[THREADS_MAX];
    unsigned thread_count;
};

/* Wait for questions; 0 where the queue ends. */
static size_t take_batch(struct lookup_queue *self, struct lookup_request **batch)
{
    size_t count = 0;

    (void)pthread_mutex_lock(&self->lock);
    while (!self->stopping && STAILQ_EMPTY(&self->waiting))
        (void)pthread_cond_wait(&self->filled, &self->lock);
    while (!self->stopping && count < BATCH_MAX && !STAILQ_EMPTY(&self->waiting)) {
        batch[count++] = STAILQ_FIRST(&self->waiting);
        STAILQ_REMOVE_HEAD(&self->waiting, in_queue);
    }
    self->waiting_count -= count;
    (void)pthread_mutex_unlock(&self->lock);
    return count;
}

static void ask(struct lookup_queue *self, struct lookup_request **batch, size_t count)
{
    static const struct lookup_answer away = {.verdict = LOOKUP_AWAY};
    struct dsnd_str addresses[BATCH_MAX] = {{0}};
    struct lookup_answer answers[BATCH_MAX];
    enum dsnd_err err;

    for (size_t i = 0; i < count; i++)
        addresses[i] = dsnd_str_make(batch[i]->key, batch[i]->key_len);
    err = self->backend.check(self->backend.cls, addresses, count, answers);
    for (size_t i = 0; i < count; i++)
        batch[i]->answer = err ? away : answers[i];
}

static void give_back(struct lookup_queue *self, struct lookup_request **batch, size_t count)
{
    static const uint64_t one = 1;

    (void)pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < count; i++)
        STAILQ_INSERT_TAIL(&self->done, batch[i], in_queue);
    (void)pthread_mutex_unlock(&self->lock);
    /* It can only fail when the counter is full, and then the loop is awake anyway. */
    (void)!write(self->wake_fd, &one, sizeof(one));
}

static void *work(void *context)
{
    struct lookup_queue *self = context;
    struct lookup_request *batch[BATCH_MAX];
    size_t count;

    while ((count = take_batch(self, batch)) > 0) {
        ask(self, batch, count);
        give_back(self, batch, count);
    }
    return NULL;
}

enum dsnd_err lookup_queue_new(const struct lookup_backend *backend, unsigned threads, int wake_fd,
                               struct lookup_queue **ret_queue)
{
    struct lookup_queue *self = calloc(1, sizeof(*self));

    if (!self)
        return DSND_ERR_NOMEM;
    self->backend = *backend;
    self->wake_fd = wake_fd;
    STAILQ_INIT(&self->waiting);
    STAILQ_INIT(&self->done);
    (void)pthread_mutex_init(&self->lock, NULL);
    (void)pthread_cond_init(&self->filled, NULL);
    while (self->thread_count < threads && self->thread_count < THREADS_MAX &&
           pthread_create(&self->threads[self->thread_count], NULL, work, self) == 0)
        self->thread_count++;
    if (self->thread_count < threads) {
        lookup_queue_free(self);
        return DSND_ERR_IO;
    }
    *ret_queue = self;
    return DSND_OK;
}

static void free_list(struct lookup_request_list *list)
{
    while (!STAILQ_EMPTY(list)) {
        struct lookup_request *request = STAILQ_FIRST(list);

        STAILQ_REMOVE_HEAD(list, in_queue);
        free(request);
    }
}

void lookup_queue_free(struct lookup_queue *self)
{
    if (!self)
        return;
    (void)pthread_mutex_lock(&self->lock);
    self->stopping = true;
    (void)pthread_cond_broadcast(&self->filled);
    (void)pthread_mutex_unlock(&self->lock);
    for (unsigned i = 0; i < self->thread_count; i++)
        (void)pthread_join(self->threads[i], NULL);
    free_list(&self->waiting);
    free_list(&self->done);
    (void)pthread_cond_destroy(&self->filled);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
}

bool lookup_queue_put(struct lookup_queue *self, struct lookup_request *request)
{
    bool room;

    (void)pthread_mutex_lock(&self->lock);
    room = self->waiting_count < WAITING_MAX;
    if (room) {
        STAILQ_INSERT_TAIL(&self->waiting, request, in_queue);
        self->waiting_count++;
        (void)pthread_cond_signal(&self->filled);
    }
    (void)pthread_mutex_unlock(&self->lock);
    return room;
}

void lookup_queue_take(struct lookup_queue *self, struct lookup_request_list *ret_list)
{
    STAILQ_INIT(ret_list);
    (void)pthread_mutex_lock(&self->lock);
    STAILQ_CONCAT(ret_list, &self->done);
    (void)pthread_mutex_unlock(&self->lock);
}
