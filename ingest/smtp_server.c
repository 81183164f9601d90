#include "ingest/smtp_server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ingest/smtp_loop.h"
#include "ingest/smtp_worker.h"

enum { THREADS_MAX = 256 };

struct smtp_server {
    struct smtp_shared shared;
    struct smtp_addresses addresses;
    unsigned inherited;
    struct smtp_loop *loops[THREADS_MAX];
    size_t loop_count; /* made */
    size_t started;    /* of these, running */
};

/* RFC 2033 section 5: LMTP must not be where everybody expects SMTP. */
static enum dsnd_err check_lmtp(const struct smtp_addresses *addresses, char *error,
                                size_t error_size)
{
    for (size_t i = 0; i < addresses->count; i++) {
        if (addresses->at[i].kind != SMTP_KIND_LMTP || smtp_listen_port(&addresses->at[i]) != 25)
            continue;
        (void)snprintf(error, error_size,
                       "smtp.lmtp_listen: port 25 is SMTP's, LMTP needs another one");
        return DSND_ERR_SYNTAX;
    }
    return DSND_OK;
}

static enum dsnd_err parse_addresses(const struct smtp_server_settings *settings, char *error,
                                     size_t error_size, struct smtp_addresses *ret_addresses)
{
    enum dsnd_err err;

    err = smtp_listen_parse(settings->listen, SMTP_KIND_PLAIN, error, error_size, ret_addresses);
    if (!err)
        err = smtp_listen_parse(settings->tls_listen, SMTP_KIND_TLS, error, error_size,
                                ret_addresses);
    if (!err)
        err = smtp_listen_parse(settings->lmtp_listen, SMTP_KIND_LMTP, error, error_size,
                                ret_addresses);
    if (!err)
        err = smtp_listen_parse(settings->submit_listen, SMTP_KIND_SUBMIT, error, error_size,
                                ret_addresses);
    if (!err)
        err = check_lmtp(ret_addresses, error, error_size);
    if (!err && !ret_addresses->count) {
        (void)snprintf(error, error_size, "no address to listen on");
        err = DSND_ERR_SYNTAX;
    }
    return err;
}

static enum dsnd_err open_socket(struct smtp_server *self, struct smtp_address *address,
                                 int *ret_fd)
{
    enum dsnd_err err = smtp_listen_inherit(address, self->inherited, ret_fd);

    return err == DSND_ERR_NOT_FOUND ? smtp_listen_open(address, ret_fd) : err;
}

/* Sockets of one loop. A unix socket has one owner, the first loop. */
static enum dsnd_err open_sockets(struct smtp_server *self, struct smtp_loop *loop, bool first,
                                  char *error, size_t error_size)
{
    for (size_t i = 0; i < self->addresses.count; i++) {
        struct smtp_address *address = &self->addresses.at[i];
        char text[SMTP_LISTEN_TEXT_SIZE];
        int fd;

        if (!first && address->storage.ss_family == AF_UNIX)
            continue;
        if (open_socket(self, address, &fd)) {
            char cause[128];
            int saved = errno;

            smtp_listen_text((const struct sockaddr *)&address->storage, text);
            (void)snprintf(error, error_size, "cannot listen on %s port %u: %s", text,
                           smtp_listen_port(address), strerror_r(saved, cause, sizeof(cause)));
            return DSND_ERR_IO;
        }
        if (smtp_loop_listen(loop, fd, address->kind))
            return DSND_ERR_NOMEM;
    }
    return DSND_OK;
}

static size_t thread_count(const struct smtp_server_settings *settings)
{
    long cores = settings->threads ? (long)settings->threads : sysconf(_SC_NPROCESSORS_ONLN);

    if (cores < 1)
        cores = 1;
    return cores < THREADS_MAX ? (size_t)cores : THREADS_MAX;
}

static enum dsnd_err start_loops(struct smtp_server *self, size_t count, char *error,
                                 size_t error_size)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < count && !err; i++) {
        err = smtp_loop_new(&self->shared, &self->loops[i]);
        if (err)
            break;
        self->loop_count++;
        err = open_sockets(self, self->loops[i], i == 0, error, error_size);
    }
    for (size_t i = 0; i < count && !err; i++) {
        err = smtp_loop_start(self->loops[i]);
        if (!err)
            self->started++;
    }
    return err;
}

static void use_generation(struct smtp_server *self, struct smtp_generation *generation)
{
    atomic_store(&self->shared.budget.max, generation->max_memory);
    atomic_store(&self->shared.budget.share_max, generation->max_share);
    if (generation->tls)
        metrics_set(METRIC_TLS_NOT_AFTER, (uint64_t)tls_context_not_after(generation->tls));
}

static void destroy(struct smtp_server *self)
{
    for (size_t i = 0; i < self->loop_count; i++)
        smtp_loop_free(self->loops[i]);
    if (self->shared.current)
        smtp_shared_release(&self->shared, self->shared.current);
    smtp_worker_free(self->shared.worker);
    smtp_talkers_done(&self->shared.talkers);
    smtp_peers_free(self->shared.peers);
    (void)pthread_mutex_destroy(&self->shared.lock);
    free(self);
}

enum dsnd_err smtp_server_start(const struct smtp_server_settings *settings,
                                struct journal *journal, char *error, size_t error_size,
                                struct smtp_server **ret_server)
{
    struct smtp_server *self = calloc(1, sizeof(*self));
    enum dsnd_err err = DSND_ERR_NOMEM;

    (void)snprintf(error, error_size, "%s", dsnd_err_text(err));
    if (!self)
        return err;
    (void)pthread_mutex_init(&self->shared.lock, NULL);
    smtp_talkers_init(&self->shared.talkers);
    self->shared.journal = journal;
    self->inherited = settings->inherited;
    atomic_store(&self->shared.next_id, 1);
    err = parse_addresses(settings, error, error_size, &self->addresses);
    if (err)
        goto out;
    err = smtp_peers_new(&self->shared.peers);
    if (err)
        goto out;
    err = smtp_worker_new(&self->shared.worker);
    if (err)
        goto out;
    err = smtp_generation_new(settings, journal, &self->shared.budget, error, error_size,
                              &self->shared.current);
    if (err)
        goto out;
    use_generation(self, self->shared.current);
    err = start_loops(self, thread_count(settings), error, error_size);
    if (err && self->shared.current)
        self->shared.current->verify_release = NULL; /* the caller keeps the context */
out:
    if (err && self->started)
        smtp_server_stop(self);
    else if (err)
        destroy(self);
    else
        *ret_server = self;
    return err;
}

enum dsnd_err smtp_server_reload(struct smtp_server *self,
                                 const struct smtp_server_settings *settings, char *error,
                                 size_t error_size)
{
    struct smtp_generation *fresh;
    struct smtp_generation *old;
    enum dsnd_err err;

    err = smtp_generation_new(settings, self->shared.journal, &self->shared.budget, error,
                              error_size, &fresh);
    if (err)
        return err;
    use_generation(self, fresh);
    (void)pthread_mutex_lock(&self->shared.lock);
    old = self->shared.current;
    self->shared.current = fresh;
    (void)pthread_mutex_unlock(&self->shared.lock);
    smtp_shared_release(&self->shared, old);
    return DSND_OK;
}

void smtp_server_drain(struct smtp_server *self)
{
    if (atomic_exchange(&self->shared.draining, true))
        return;
    log_event(LOG_LEVEL_INFO, "smtp.drain", "sessions=%zu", smtp_server_sessions(self));
    for (size_t i = 0; i < self->started; i++)
        smtp_loop_wake(self->loops[i]);
}

void smtp_server_stop(struct smtp_server *self)
{
    if (!self)
        return;
    smtp_server_drain(self);
    for (size_t i = 0; i < self->started; i++)
        smtp_loop_join(self->loops[i]);
    destroy(self);
}

uint16_t smtp_server_port(const struct smtp_server *self, size_t n)
{
    return n < self->addresses.count ? smtp_listen_port(&self->addresses.at[n]) : 0;
}

size_t smtp_server_sessions(const struct smtp_server *self)
{
    return atomic_load(&self->shared.sessions);
}
