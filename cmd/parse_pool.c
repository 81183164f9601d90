#include "cmd/parse_pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "cmd/mail_files.h"

enum {
    JOBS = 256,
    COPIES_MAX = 64 * 1024 * 1024, /* octets of messages under way; one alone may have more */
    NAME_MAX_OCTETS = 64 * 1024,
    LINE_OCTETS_MAX = 256 * 1024 * 1024,
};

/* One message: filled by the giver, parsed by a worker, written and reused by the giver. */
struct job {
    struct dsnd_buf name;
    struct dsnd_buf message;
    struct dsnd_buf line;
    enum dsnd_err err;
    bool is_done; /* under the lock */
};

struct thread {
    pthread_t id;
    struct parse_pool *pool;
    void *worker;
};

struct parse_pool {
    pthread_mutex_t lock;
    pthread_cond_t given; /* there is a job, or the end */
    pthread_cond_t done;  /* a job is done */
    uint64_t written;     /* jobs written; of the giver alone */
    size_t copied;        /* octets under way; of the giver alone */
    uint64_t taken;       /* by workers; under the lock, as the next two */
    uint64_t put;
    bool stop;
    enum dsnd_err err; /* of the giver alone */
    parse_pool_fn parse;
    FILE *out;
    struct job *jobs;
    struct thread *threads;
    size_t thread_count; /* started */
};

/* The next job; NULL at the end. */
static struct job *take_job(struct parse_pool *self)
{
    struct job *job = NULL;

    (void)pthread_mutex_lock(&self->lock);
    while (!self->stop && self->taken == self->put)
        (void)pthread_cond_wait(&self->given, &self->lock);
    if (!self->stop)
        job = &self->jobs[self->taken++ % JOBS];
    (void)pthread_mutex_unlock(&self->lock);
    return job;
}

static void *thread_main(void *context)
{
    struct thread *thread = context;
    struct parse_pool *pool = thread->pool;
    struct job *job;

    while ((job = take_job(pool))) {
        job->err = pool->parse(thread->worker, dsnd_buf_str(&job->name),
                               dsnd_buf_str(&job->message), &job->line);
        (void)pthread_mutex_lock(&pool->lock);
        job->is_done = true;
        (void)pthread_cond_signal(&pool->done);
        (void)pthread_mutex_unlock(&pool->lock);
    }
    return NULL;
}

static enum dsnd_err start_threads(struct parse_pool *self, void *const *workers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct thread *thread = &self->threads[i];

        thread->pool = self;
        thread->worker = workers[i];
        errno = pthread_create(&thread->id, NULL, thread_main, thread);
        if (errno)
            return DSND_ERR_IO;
        self->thread_count++;
    }
    return DSND_OK;
}

enum dsnd_err parse_pool_new(void *const *workers, size_t count, parse_pool_fn parse, FILE *out,
                             struct parse_pool **ret_pool)
{
    struct parse_pool *self = calloc(1, sizeof(*self));
    enum dsnd_err err = DSND_ERR_NOMEM;

    if (!self)
        return err;
    (void)pthread_mutex_init(&self->lock, NULL);
    (void)pthread_cond_init(&self->given, NULL);
    (void)pthread_cond_init(&self->done, NULL);
    self->parse = parse;
    self->out = out;
    self->threads = calloc(count, sizeof(*self->threads));
    self->jobs = calloc(JOBS, sizeof(*self->jobs));
    if (self->jobs && self->threads) {
        for (size_t i = 0; i < JOBS; i++)
            self->jobs[i] = (struct job){.name = DSND_BUF_INIT(NAME_MAX_OCTETS),
                                         .message = DSND_BUF_INIT(MAIL_FILES_OCTETS_MAX),
                                         .line = DSND_BUF_INIT(LINE_OCTETS_MAX)};
        err = start_threads(self, workers, count);
    }
    if (err) {
        parse_pool_free(self);
        return err;
    }
    *ret_pool = self;
    return DSND_OK;
}

void parse_pool_free(struct parse_pool *self)
{
    if (!self)
        return;
    (void)pthread_mutex_lock(&self->lock);
    self->stop = true;
    (void)pthread_cond_broadcast(&self->given);
    (void)pthread_mutex_unlock(&self->lock);
    for (size_t i = 0; i < self->thread_count; i++)
        (void)pthread_join(self->threads[i].id, NULL);
    for (size_t i = 0; self->jobs && i < JOBS; i++) {
        dsnd_buf_done(&self->jobs[i].name);
        dsnd_buf_done(&self->jobs[i].message);
        dsnd_buf_done(&self->jobs[i].line);
    }
    (void)pthread_cond_destroy(&self->done);
    (void)pthread_cond_destroy(&self->given);
    (void)pthread_mutex_destroy(&self->lock);
    free(self->jobs);
    free(self->threads);
    free(self);
}

/* Wait for the oldest job and write its line. */
static void write_oldest(struct parse_pool *self)
{
    struct job *job = &self->jobs[self->written++ % JOBS];

    (void)pthread_mutex_lock(&self->lock);
    while (!job->is_done)
        (void)pthread_cond_wait(&self->done, &self->lock);
    job->is_done = false;
    (void)pthread_mutex_unlock(&self->lock);
    if (!self->err)
        self->err = job->err;
    if (!self->err && fwrite(job->line.ptr, 1, job->line.len, self->out) != job->line.len)
        self->err = DSND_ERR_IO;
    self->copied -= job->message.len;
    /* A long message must not leave every place of the ring as long. */
    if (job->message.len + job->line.len > COPIES_MAX / JOBS) {
        dsnd_buf_done(&job->message);
        dsnd_buf_done(&job->line);
    }
    dsnd_buf_clear(&job->name);
    dsnd_buf_clear(&job->message);
    dsnd_buf_clear(&job->line);
}

enum dsnd_err parse_pool_put(struct parse_pool *self, struct dsnd_str name, struct dsnd_str message)
{
    struct job *job = &self->jobs[self->put % JOBS];
    uint64_t put = self->put;
    enum dsnd_err err;

    while (put != self->written &&
           (put - self->written == JOBS || self->copied + message.len > COPIES_MAX))
        write_oldest(self);
    if (self->err)
        return self->err;
    err = dsnd_buf_add(&job->name, name);
    if (!err)
        err = dsnd_buf_add(&job->message, message);
    if (err)
        return err;
    self->copied += message.len;
    (void)pthread_mutex_lock(&self->lock);
    self->put++;
    (void)pthread_cond_signal(&self->given);
    (void)pthread_mutex_unlock(&self->lock);
    return DSND_OK;
}

enum dsnd_err parse_pool_finish(struct parse_pool *self)
{
    while (self->put != self->written)
        write_oldest(self);
    return self->err;
}
