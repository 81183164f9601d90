#include "ingest/journal.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "ingest/journal_append.h"
#include "ingest/journal_open.h"
#include "ingest/journal_record.h"
#include "ingest/journal_recover.h"

enum { FAILED_WAKE_MS = 1000 };

/* Segments smaller than this would be files without a record; larger ones do not fit a mark. */
#define SEGMENT_OCTETS_MIN UINT64_C(4096)
#define SEGMENT_OCTETS_MAX (UINT64_C(16) << 30)

struct journal {
    struct journal_dir dir;
    struct journal_shared *shared;
    struct journal_space *space;
    struct journal_recovery report;
    struct journal_append append; /* the committer's */
    pthread_t committer;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t queued; /* monotonic */
    struct journal_node *head;
    struct journal_node **tail;
    size_t queued_octets;
    bool closing;
    _Atomic int failure;
};

static void wait_for_work(struct journal *self)
{
    struct timespec until;

    if (!atomic_load(&self->failure)) {
        (void)pthread_cond_wait(&self->queued, &self->mutex);
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += FAILED_WAKE_MS / 1000;
    (void)pthread_cond_timedwait(&self->queued, &self->mutex, &until);
}

/* All that is queued; false when there is nothing and nothing will come. */
static bool take_queue(struct journal *self, struct journal_node **ret_nodes)
{
    bool more;

    (void)pthread_mutex_lock(&self->mutex);
    if (!self->head && !self->closing)
        wait_for_work(self);
    *ret_nodes = self->head;
    self->head = NULL;
    self->tail = &self->head;
    self->queued_octets = 0;
    more = *ret_nodes || !self->closing;
    (void)pthread_mutex_unlock(&self->mutex);
    return more;
}

static void *commit_forever(void *context)
{
    struct journal *self = context;
    struct journal_node *nodes = NULL;

    while (take_queue(self, &nodes)) {
        if (!nodes && atomic_load(&self->failure))
            journal_append_revive(&self->append);
        journal_append_commit(&self->append, nodes);
        journal_append_prepare(&self->append);
    }
    return NULL;
}

static uint64_t clamp_segment(uint64_t octets)
{
    octets = octets < SEGMENT_OCTETS_MIN ? SEGMENT_OCTETS_MIN : octets;
    return octets > SEGMENT_OCTETS_MAX ? SEGMENT_OCTETS_MAX : octets;
}

static enum dsnd_err recover(struct journal *self, const struct journal_settings *settings)
{
    struct journal_recovered recovered;
    enum dsnd_err err = journal_recover(&self->dir, self->shared, &recovered);

    if (err)
        return err;
    self->report = recovered.report;
    self->append = (struct journal_append){
        .dir = &self->dir,
        .shared = self->shared,
        .space = self->space,
        .segment_octets = clamp_segment(settings->segment_octets),
        .next_segment = recovered.next_segment,
        .next_sequence = recovered.next_sequence,
        .current.fd = -1,
        .prepared.fd = -1,
        .abandoned.fd = -1,
        .failure = &self->failure,
    };
    journal_shared_commit(self->shared, recovered.mark, recovered.next_sequence - 1);
    /* A disk that is full now is no reason not to start: it is tried again every second. */
    journal_append_revive(&self->append);
    return DSND_OK;
}

/* Signals are for the threads of the program, not for ours. */
static int start_committer(struct journal *self)
{
    sigset_t all;
    sigset_t before;
    int error;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&self->committer, NULL, commit_forever, self);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static int init_queue(struct journal *self)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    self->tail = &self->head;
    if (error)
        return error;
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (!error)
        error = pthread_cond_init(&self->queued, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (!error)
        error = pthread_mutex_init(&self->mutex, NULL);
    return error;
}

static void release(struct journal *self)
{
    journal_shared_close(self->shared);
    journal_dir_close(&self->dir);
    free(self->space);
    free(self);
}

static enum dsnd_err open_parts(struct journal *self, const struct journal_settings *settings,
                                const struct journal_files *files)
{
    enum dsnd_err err = journal_dir_open(&self->dir, files, settings->dir, JOURNAL_WRITER_LOCK);

    if (err)
        return err;
    err = journal_shared_open(self->dir.fd, &self->shared);
    if (err)
        return err;
    journal_space_init(self->space, files, self->dir.fd, settings->min_free_octets);
    return recover(self, settings);
}

enum dsnd_err journal_open_with(const struct journal_settings *settings,
                                const struct journal_files *files, struct journal **ret_journal)
{
    struct journal *self = calloc(1, sizeof(*self));
    enum dsnd_err err = DSND_ERR_NOMEM;
    int error;

    if (!self)
        return err;
    self->dir.fd = -1;
    self->dir.lock_fd = -1;
    self->space = calloc(1, sizeof(*self->space));
    if (self->space)
        err = open_parts(self, settings, files);
    if (err) {
        release(self);
        return err;
    }
    error = init_queue(self);
    if (!error)
        error = start_committer(self);
    if (error) {
        journal_append_close(&self->append);
        release(self);
        errno = error;
        return DSND_ERR_IO;
    }
    *ret_journal = self;
    return DSND_OK;
}

enum dsnd_err journal_open(const struct journal_settings *settings, struct journal **ret_journal)
{
    return journal_open_with(settings, &journal_files_system, ret_journal);
}

void journal_close(struct journal *self)
{
    if (!self)
        return;
    (void)pthread_mutex_lock(&self->mutex);
    self->closing = true;
    (void)pthread_cond_signal(&self->queued);
    (void)pthread_mutex_unlock(&self->mutex);
    (void)pthread_join(self->committer, NULL);
    journal_append_close(&self->append);
    (void)pthread_cond_destroy(&self->queued);
    (void)pthread_mutex_destroy(&self->mutex);
    release(self);
}

static enum dsnd_err enqueue(struct journal *self, struct journal_node *node)
{
    enum dsnd_err err = DSND_OK;

    (void)pthread_mutex_lock(&self->mutex);
    if (self->closing) {
        err = DSND_ERR_UNAVAILABLE;
    } else if (self->queued_octets &&
               self->queued_octets + node->octets > JOURNAL_QUEUE_OCTETS_MAX) {
        err = DSND_ERR_LIMIT;
    } else {
        *self->tail = node;
        self->tail = &node->next;
        self->queued_octets += node->octets;
        (void)pthread_cond_signal(&self->queued);
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return err;
}

enum dsnd_err journal_append(struct journal *self, const struct journal_message *message,
                             journal_done_fn done, void *context)
{
    struct journal_node *node;
    size_t octets = 0;
    enum dsnd_err err = journal_record_measure(message, &octets);

    if (err)
        return err;
    if (!journal_has_space(self))
        return DSND_ERR_LIMIT;
    node = malloc(sizeof(*node) + octets);
    if (!node)
        return DSND_ERR_NOMEM;
    *node = (struct journal_node){.done = done, .context = context, .octets = octets};
    journal_record_encode(message, node->record);
    err = enqueue(self, node);
    if (err)
        free(node);
    return err;
}

bool journal_has_space(const struct journal *self)
{
    return journal_space_ok(self->space);
}

int journal_failure(const struct journal *self)
{
    return atomic_load(&self->failure);
}

const struct journal_recovery *journal_recovered(const struct journal *self)
{
    return &self->report;
}
