#include "tests/support/fake_journal.h"

#include <pthread.h>
#include <stdatomic.h>

struct waiting {
    journal_done_fn done;
    void *context;
};

enum { WAITING_MAX = 4096 };

struct journal {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    struct waiting waiting[WAITING_MAX];
    size_t count;
    uint64_t sequence;
    bool closing;
    bool held;
    enum dsnd_err at_once;
    enum dsnd_err later;
};

static struct journal the_journal = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                     .changed = PTHREAD_COND_INITIALIZER};
static _Atomic uint64_t acknowledged;
static _Atomic bool full;

static void *commit(void *context)
{
    struct journal *self = context;

    (void)pthread_mutex_lock(&self->lock);
    while (!self->closing || self->count) {
        struct waiting next;
        uint64_t sequence;
        enum dsnd_err err;

        if (!self->count || (self->held && !self->closing)) {
            (void)pthread_cond_wait(&self->changed, &self->lock);
            continue;
        }
        next = self->waiting[--self->count];
        err = self->later;
        sequence = err ? 0 : ++self->sequence;
        if (!err)
            atomic_fetch_add(&acknowledged, 1);
        (void)pthread_mutex_unlock(&self->lock);
        next.done(next.context, err, sequence);
        (void)pthread_mutex_lock(&self->lock);
    }
    (void)pthread_mutex_unlock(&self->lock);
    return NULL;
}

enum dsnd_err journal_open(const struct journal_settings *settings, struct journal **ret_journal)
{
    (void)settings;
    the_journal.closing = false;
    if (pthread_create(&the_journal.thread, NULL, commit, &the_journal) != 0)
        return DSND_ERR_IO;
    *ret_journal = &the_journal;
    return DSND_OK;
}

void journal_close(struct journal *self)
{
    (void)pthread_mutex_lock(&self->lock);
    self->closing = true;
    (void)pthread_cond_broadcast(&self->changed);
    (void)pthread_mutex_unlock(&self->lock);
    (void)pthread_join(self->thread, NULL);
}

enum dsnd_err journal_append(struct journal *self, const struct journal_message *message,
                             journal_done_fn done, void *context)
{
    enum dsnd_err err;

    (void)message;
    (void)pthread_mutex_lock(&self->lock);
    err = self->at_once;
    if (!err && self->count == WAITING_MAX)
        err = DSND_ERR_LIMIT;
    if (!err) {
        self->waiting[self->count++] = (struct waiting){done, context};
        (void)pthread_cond_signal(&self->changed);
    }
    (void)pthread_mutex_unlock(&self->lock);
    return err;
}

bool journal_has_space(const struct journal *self)
{
    (void)self;
    return !atomic_load(&full);
}

void fake_journal_fail(enum dsnd_err at_once, enum dsnd_err later)
{
    (void)pthread_mutex_lock(&the_journal.lock);
    the_journal.at_once = at_once;
    the_journal.later = later;
    (void)pthread_mutex_unlock(&the_journal.lock);
}

void fake_journal_hold(bool held)
{
    (void)pthread_mutex_lock(&the_journal.lock);
    the_journal.held = held;
    (void)pthread_cond_broadcast(&the_journal.changed);
    (void)pthread_mutex_unlock(&the_journal.lock);
}

void fake_journal_space(bool space)
{
    atomic_store(&full, !space);
}

uint64_t fake_journal_count(void)
{
    return atomic_load(&acknowledged);
}
