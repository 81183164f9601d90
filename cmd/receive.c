/*
 * dsnd receive: the SMTP receiver and the journal's one writer. Needs no database.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmd/child.h"
#include "cmd/commands.h"
#include "cmd/confine.h"
#include "cmd/material.h"
#include "cmd/reload.h"
#include "cmd/settings.h"
#include "ingest/journal.h"
#include "ingest/smtp_server.h"

enum {
    RECEIVE_LOCK_RETRIES = 100, /* a receiver that is ending may hold the journal for a moment */
    RECEIVE_LOCK_WAIT_MS = 100,
    RECEIVE_WATCH_MS = 250,
    RECEIVE_US_PER_MS = 1000,
    RECEIVE_JUMP_US = 5 * 1000 * 1000, /* of the wall clock, worth a line */
};

/* What decides about a recipient's return path; one for each load, freed with its last session. */
struct verifier {
    struct return_path_keys keys;
    int64_t max_age_us;
};

static enum smtp_verdict verify_recipient(void *context, struct dsnd_str recipient)
{
    static const enum smtp_verdict verdicts[] = {
        [RETURN_PATH_NONE] = SMTP_VERDICT_UNSIGNED,
        [RETURN_PATH_FORGED] = SMTP_VERDICT_FORGED,
        [RETURN_PATH_EXPIRED] = SMTP_VERDICT_EXPIRED,
        [RETURN_PATH_SIGNED] = SMTP_VERDICT_OK,
    };
    const struct verifier *self = context;
    struct return_path path;

    return_path_verify(&self->keys, recipient, dsnd_clock_now_us(), self->max_age_us, &path);
    return verdicts[path.verdict];
}

static void free_verifier(void *context)
{
    struct verifier *self = context;

    explicit_bzero(self, sizeof(*self));
    free(self);
}

static enum dsnd_err new_verifier(const struct settings *settings, struct config_error *ret_error,
                                  struct verifier **ret_verifier)
{
    struct verifier *self = calloc(1, sizeof(*self));
    enum dsnd_err err = self ? material_keys(settings, &self->keys, ret_error) : DSND_ERR_NOMEM;

    if (err) {
        free(self);
        return err;
    }
    self->max_age_us = (int64_t)settings->sign.max_age * RECEIVE_US_PER_MS;
    *ret_verifier = self;
    return DSND_OK;
}

static struct smtp_server_settings server_settings(const struct settings *settings,
                                                   const char *hostname, struct verifier *verifier)
{
    return (struct smtp_server_settings){
        .listen = settings->smtp.listen,
        .tls_listen = settings->smtp.tls_listen,
        .lmtp_listen = settings->smtp.lmtp_listen,
        .submit_listen = settings->submit.listen,
        .users_file = settings->submit.users_file,
        .confirms = settings->submit.relay[0] != '\0',
        .proxy_from = settings->smtp.proxy_from,
        .inherited = child_sockets(),
        .hostname = hostname,
        .domains = settings->smtp.domains,
        .max_size = settings->smtp.max_size,
        .max_connections = settings->smtp.max_connections,
        .max_per_client = settings->smtp.max_per_client,
        .connection_rate = settings->smtp.connection_rate,
        .message_rate = settings->smtp.message_rate,
        .error_rate = settings->smtp.error_rate,
        .total_connection_rate = settings->smtp.total_connection_rate,
        .total_message_rate = settings->smtp.total_message_rate,
        .max_recipients = settings->smtp.max_recipients,
        .max_memory = settings->smtp.memory,
        .idle_timeout_ms = settings->smtp.idle_timeout,
        .drain_timeout_ms = settings->smtp.drain_timeout,
        .threads = (unsigned)settings->smtp.threads,
        .tls_cert = settings->smtp.tls_cert,
        .tls_key = settings->smtp.tls_key,
        .normalizes = settings->smtp.bare_newline == SETTINGS_BARE_NORMALIZE,
        .require_signed = settings->smtp.require_signed,
        .verify = verify_recipient,
        .verify_context = verifier,
        .verify_release = free_verifier,
    };
}

struct receive {
    struct settings *settings;
    struct journal *journal;
    struct smtp_server *server;
    char hostname[CONFIG_STRING_SIZE];
    int failure;      /* of the journal, as last logged */
    bool is_full;     /* the same */
    int64_t clock_us; /* the wall clock less the monotonic one, as last seen */
};

/* Start the server, or reload it when it runs. `*ret_error` says what was wrong. */
static enum dsnd_err apply(struct receive *self, const struct settings *settings,
                           struct config_error *ret_error)
{
    struct smtp_server_settings server;
    struct verifier *verifier = NULL;
    enum dsnd_err err = material_hostname(settings, self->hostname);

    if (!err)
        err = new_verifier(settings, ret_error, &verifier);
    if (err)
        return err;
    server = server_settings(settings, self->hostname, verifier);
    if (self->server)
        err = smtp_server_reload(self->server, &server, ret_error->text, sizeof(ret_error->text));
    else
        err = smtp_server_start(&server, self->journal, ret_error->text, sizeof(ret_error->text),
                                &self->server);
    if (err)
        free_verifier(verifier);
    return err;
}

static enum dsnd_err open_journal(struct receive *self, struct config_error *ret_error)
{
    const struct journal_settings journal = {self->settings->journal.dir,
                                             self->settings->journal.segment,
                                             self->settings->journal.min_free};
    const struct timespec pause = {0, RECEIVE_LOCK_WAIT_MS * 1000000L};
    const struct journal_recovery *found;
    enum dsnd_err err = journal_open(&journal, &self->journal);

    for (int i = 0; err == DSND_ERR_CONFLICT && i < RECEIVE_LOCK_RETRIES; i++) {
        (void)nanosleep(&pause, NULL);
        err = journal_open(&journal, &self->journal);
    }
    if (err) {
        int cause = errno;

        (void)snprintf(ret_error->text, sizeof(ret_error->text), "journal.dir %s", journal.dir);
        errno = cause;
        return err;
    }
    found = journal_recovered(self->journal);
    log_event(found->damaged_octets ? LOG_LEVEL_ERR : LOG_LEVEL_INFO, "receive.journal",
              "dir=%s recovered_records=%llu cut_octets=%llu damaged_octets=%llu "
              "last_sequence=%llu",
              journal.dir, (unsigned long long)found->records,
              (unsigned long long)found->cut_octets, (unsigned long long)found->damaged_octets,
              (unsigned long long)found->last_sequence);
    return DSND_OK;
}

/*
 * The process that speaks with strangers writes only its journal, and unix sockets where it is to
 * listen on them. Reading stays as it is: a reload may name other files.
 */
static void give_up_rights(const struct settings *settings)
{
    char sockets[CONFIG_STRING_SIZE];
    struct confine_dir dirs[2] = {{settings->journal.dir, false}, {sockets, true}};
    struct dsnd_str lmtp = dsnd_str_of(settings->smtp.lmtp_listen);
    bool is_path = lmtp.len && lmtp.ptr[0] == '/';
    size_t slash = dsnd_str_rchr(lmtp, '/');
    enum dsnd_err err = DSND_ERR_LIMIT;

    if (is_path && dsnd_str_chr(lmtp, ',') == SIZE_MAX)
        err = dsnd_str_copy(dsnd_str_slice(lmtp, 0, slash ? slash : 1), sockets, sizeof(sockets));
    if (!err || !is_path)
        err = confine(dirs, is_path ? 2 : 1);
    if (err && err != DSND_ERR_UNAVAILABLE)
        log_event(LOG_LEVEL_WARN, "receive.unconfined", "error=\"%s\" errno=\"%s\"",
                  dsnd_err_text(err), err == DSND_ERR_IO ? strerror(errno) : "");
    else
        log_event(LOG_LEVEL_INFO, "receive.confined", "by=%s", err ? "nothing" : "landlock");
}

/* What is left to do needs no further socket and no program. */
static void give_up_calls(void)
{
    enum dsnd_err err = confine_calls();

    if (err && err != DSND_ERR_UNAVAILABLE)
        log_event(LOG_LEVEL_WARN, "receive.unconfined_calls", "error=\"%s\"", strerror(errno));
    else
        log_event(LOG_LEVEL_INFO, "receive.confined_calls", "by=%s", err ? "nothing" : "seccomp");
}

static void reload(struct receive *self)
{
    static struct settings fresh;
    struct config_error error = {""};

    if (settings_reload(&fresh, &error) == DSND_OK && apply(self, &fresh, &error) == DSND_OK) {
        *self->settings = fresh;
        log_event(LOG_LEVEL_INFO, "receive.reloaded", "domains=\"%s\"",
                  LOG_QUOTED(fresh.smtp.domains));
        reload_done(&fresh, "receive");
        return;
    }
    reload_failed("receive.reload_failed", &error);
}

/* Say once when the journal stops taking mail, and once when it goes on. */
static void watch_journal(struct receive *self)
{
    int failure = journal_failure(self->journal);
    bool is_full = !journal_has_space(self->journal);

    if (failure && failure != self->failure)
        log_event(LOG_LEVEL_CRIT, "journal.failed", "dir=%s errno=\"%s\" reply=451",
                  self->settings->journal.dir, strerror(failure));
    else if (!failure && self->failure)
        log_event(LOG_LEVEL_INFO, "journal.works", "dir=%s", self->settings->journal.dir);
    if (is_full && !self->is_full)
        log_event(LOG_LEVEL_CRIT, "journal.full", "dir=%s min_free=%llu reply=452",
                  self->settings->journal.dir,
                  (unsigned long long)self->settings->journal.min_free);
    else if (!is_full && self->is_full)
        log_event(LOG_LEVEL_INFO, "journal.space", "dir=%s", self->settings->journal.dir);
    self->failure = failure;
    self->is_full = is_full;
}

/* Nothing here depends on the wall clock's going evenly; who reads the records may. */
static void watch_clock(struct receive *self)
{
    int64_t now_us = dsnd_clock_now_us() - dsnd_clock_monotonic_ms() * RECEIVE_US_PER_MS;
    int64_t jump_us = now_us - self->clock_us;

    if (self->clock_us && (jump_us > RECEIVE_JUMP_US || jump_us < -RECEIVE_JUMP_US))
        log_event(LOG_LEVEL_WARN, "receive.clock_jumped", "seconds=%lld",
                  (long long)(jump_us / DSND_US_PER_S));
    self->clock_us = now_us;
}

static void run(struct receive *self)
{
    enum child_event event;

    log_event(LOG_LEVEL_INFO, "receive.start", "listen=\"%s\" port=%u hostname=%s",
              LOG_QUOTED(self->settings->smtp.listen), smtp_server_port(self->server, 0),
              self->hostname);
    give_up_calls();
    child_ready();
    while ((event = child_wait(RECEIVE_WATCH_MS)) != CHILD_EVENT_STOP) {
        if (event == CHILD_EVENT_RELOAD)
            reload(self);
        watch_journal(self);
        watch_clock(self);
    }
    log_event(LOG_LEVEL_INFO, "receive.drain", "sessions=%zu", smtp_server_sessions(self->server));
    smtp_server_drain(self->server);
}

int cmd_receive(int argc, char **argv)
{
    static struct settings settings;
    struct receive self = {.settings = &settings};
    struct config_error error = {""};
    enum dsnd_err err;
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd receive [-c FILE]\n\n"
        "Takes mail over SMTP and makes it durable in the journal. SIGHUP reloads certificates,\n"
        "keys, domains and limits; SIGTERM drains.\n",
        &settings);

    if (status >= 0)
        return status;
    err = child_begin("receive", METRICS_SLOT_RECEIVE);
    if (!err)
        err = child_give_up_root(settings.process.user, true);
    if (!err) {
        give_up_rights(&settings);
        err = open_journal(&self, &error);
    }
    if (!err)
        err = apply(&self, &settings, &error);
    if (err)
        log_event(LOG_LEVEL_CRIT, "receive.failed", "error=\"%s\" detail=\"%s\" errno=\"%s\"",
                  dsnd_err_text(err), LOG_QUOTED(error.text),
                  err == DSND_ERR_IO && errno ? strerror(errno) : "");
    else
        run(&self);
    smtp_server_stop(self.server);
    journal_close(self.journal);
    return child_exit_status(err);
}
