/*
 * dsnd pipeline: reads the journal, parses what it holds, and stores it in PostgreSQL.
 *
 * The main thread reads and parses into one of two batches while the writer thread stores the
 * other. Before a message is parsed its sequence is marked in shared memory; a message on which the
 * process crashed twice is set aside. A watchdog ends the process when one message takes too long.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "cmd/child.h"
#include "cmd/commands.h"
#include "cmd/crash.h"
#include "cmd/material.h"
#include "cmd/pipeline_batch.h"
#include "cmd/pipeline_writer.h"
#include "cmd/reload.h"
#include "cmd/settings.h"

enum {
    PIPELINE_DEATHS_MAX = 2, /* how often a message may kill the parser */
    PIPELINE_PARSE_TIMEOUT_MS = 5000,
    PIPELINE_IDLE_WAIT_MS = 50,
    PIPELINE_GAUGE_EVERY_MS = 1000,
    PIPELINE_US_PER_MS = 1000,
};

struct pipeline {
    struct settings *settings;
    struct journal_reader *reader;
    struct pipeline_writer *writer;
    struct rule_set *rules;
    struct return_path_keys keys;
    char hostname[CONFIG_STRING_SIZE];
    struct pipeline_context context;
    struct pipeline_batch *batches[2];
    unsigned filling; /* index of the batch that is being built */
    int64_t filling_since_ms;
    uint64_t applied_sequence; /* what the journal was last told is stored */
    int64_t gauges_ms;
    bool stop;
};

/* The message being parsed, for the watchdog: 0 when none is. */
static _Atomic int64_t parse_started_ms;

static void *watchdog_main(void *unused)
{
    const struct timespec tick = {0, 250 * 1000000L};

    (void)unused;
    for (;;) {
        int64_t started = atomic_load(&parse_started_ms);

        if (started && dsnd_clock_monotonic_ms() - started > PIPELINE_PARSE_TIMEOUT_MS) {
            log_event(LOG_LEVEL_CRIT, "pipeline.parse_timeout", "limit_ms=%d",
                      PIPELINE_PARSE_TIMEOUT_MS);
            abort();
        }
        (void)nanosleep(&tick, NULL);
    }
    return NULL;
}

static struct store_policy make_policy(const struct pipeline *self)
{
    return (struct store_policy){
        .rules_version = rule_set_version(self->rules),
        .providers = rule_set_providers(self->rules),
        .duplicate_window_us = 7 * DSND_US_PER_DAY,
        .delay_horizon_us = (int64_t)self->settings->delay.horizon * PIPELINE_US_PER_MS,
        .min_evidence = (enum store_evidence)self->settings->counts.min_evidence,
        .keep_raw = self->settings->retain.raw > 0,
        .keys = &self->keys,
        .return_path_max_age_us = (int64_t)self->settings->sign.max_age * PIPELINE_US_PER_MS,
    };
}

/* Load rules and keys; what is in force stays where the new is bad. Only while the writer is idle.
 */
static enum dsnd_err load_material(struct pipeline *self, struct config_error *ret_error)
{
    struct dsnd_str headers = dsnd_str_of(self->settings->classify.campaign_headers);
    struct return_path_keys keys;
    struct rule_set *rules = NULL;
    struct parser *parser = NULL;
    enum dsnd_err err = material_keys(self->settings, &keys, ret_error);

    if (!err)
        err = material_rules(self->settings, &rules, ret_error);
    if (!err)
        err = material_hostname(self->settings, self->hostname);
    if (!err)
        err = parser_new(&parse_limits_default, rules, headers, &parser);
    if (err) {
        rule_set_free(rules);
        return err;
    }
    parser_free(self->context.parser);
    rule_set_free(self->rules);
    self->keys = keys;
    self->rules = rules;
    self->context = (struct pipeline_context){
        .parser = parser,
        .keys = &self->keys,
        .max_age_us = (int64_t)self->settings->sign.max_age * PIPELINE_US_PER_MS,
        .hostname = self->hostname,
        .journal_id = journal_reader_id(self->reader),
    };
    return DSND_OK;
}

/* Why a record must be set aside unparsed; NONE for all but a few. */
static enum store_quarantine reason_to_set_aside(struct pipeline *self,
                                                 const struct journal_record *record, bool damaged)
{
    unsigned deaths = journal_reader_deaths(self->reader, record->sequence);

    if (damaged) {
        log_event(LOG_LEVEL_ERR, "pipeline.record_damaged", "sequence=%llu octets=%zu",
                  (unsigned long long)record->sequence, record->message.octets.len);
        return STORE_QUARANTINE_CORRUPT;
    }
    if (!deaths)
        return STORE_QUARANTINE_NONE;
    metrics_add(METRIC_PIPELINE_PARSER_KILLED, 1);
    log_event(LOG_LEVEL_ERR, "pipeline.parser_died", "sequence=%llu deaths=%u set_aside=%s",
              (unsigned long long)record->sequence, deaths,
              deaths >= PIPELINE_DEATHS_MAX ? "yes" : "no");
    return deaths >= PIPELINE_DEATHS_MAX ? STORE_QUARANTINE_PARSER_DIED : STORE_QUARANTINE_NONE;
}

/* Parse one record into the batch that is being built. */
static enum dsnd_err take_record(struct pipeline *self, struct journal_record *record, bool damaged)
{
    struct pipeline_batch *batch = self->batches[self->filling];
    enum store_quarantine why = reason_to_set_aside(self, record, damaged);
    enum dsnd_err err;

    if (record->message.received_us == 0)
        record->message.received_us = dsnd_clock_now_us();
    if (batch->count == 0)
        self->filling_since_ms = dsnd_clock_monotonic_ms();
    journal_reader_mark(self->reader, 0, record->sequence);
    atomic_store(&parse_started_ms, dsnd_clock_monotonic_ms());
    err = pipeline_batch_add(batch, &self->context, record, why);
    atomic_store(&parse_started_ms, 0);
    journal_reader_mark(self->reader, 0, 0);
    return err;
}

/* Read until the batch is full, the journal is at its end, or the linger is over. */
static enum dsnd_err fill(struct pipeline *self)
{
    struct pipeline_batch *batch = self->batches[self->filling];
    enum dsnd_err err = DSND_OK;

    while (!err && !pipeline_batch_full(batch)) {
        struct journal_record record;

        err = journal_reader_next(self->reader, &record);
        if (err && err != DSND_ERR_CORRUPT)
            break;
        err = take_record(self, &record, err == DSND_ERR_CORRUPT);
        journal_reader_release(self->reader);
    }
    return err == DSND_ERR_NOT_FOUND ? DSND_OK : err;
}

static bool batch_due(const struct pipeline *self)
{
    const struct pipeline_batch *batch = self->batches[self->filling];

    return batch->count &&
           (pipeline_batch_full(batch) || dsnd_clock_monotonic_ms() - self->filling_since_ms >=
                                              (int64_t)self->settings->pipeline.linger);
}

/* Tell the journal what is stored. Only while the writer is idle. */
static enum dsnd_err confirm(struct pipeline *self)
{
    struct journal_position position = pipeline_writer_position(self->writer);

    if (position.sequence == self->applied_sequence)
        return DSND_OK;
    self->applied_sequence = position.sequence;
    return journal_reader_applied(self->reader, &position, dsnd_clock_now_us(),
                                  (int64_t)self->settings->journal.keep * PIPELINE_US_PER_MS);
}

static void set_gauges(struct pipeline *self)
{
    int64_t now_ms = dsnd_clock_monotonic_ms();
    uint64_t octets;
    int64_t oldest_us;
    int64_t age_us;

    if (now_ms - self->gauges_ms < PIPELINE_GAUGE_EVERY_MS)
        return;
    self->gauges_ms = now_ms;
    journal_reader_backlog(self->reader, &octets, &oldest_us);
    age_us = oldest_us ? dsnd_clock_now_us() - oldest_us : 0;
    metrics_set(METRIC_JOURNAL_BACKLOG, octets);
    metrics_set(METRIC_JOURNAL_BACKLOG_AGE, age_us > 0 ? (uint64_t)(age_us / DSND_US_PER_S) : 0);
}

/* Wait until the writer is idle, minding signals. DSND_ERR_CONFLICT: start over. */
static enum dsnd_err await_writer(struct pipeline *self)
{
    for (;;) {
        enum pipeline_writer_state state =
            pipeline_writer_wait(self->writer, PIPELINE_IDLE_WAIT_MS);

        if (state == PIPELINE_WRITER_IDLE)
            return DSND_OK;
        if (state == PIPELINE_WRITER_START_OVER)
            return DSND_ERR_CONFLICT;
        set_gauges(self);
        if (child_wait(0) == CHILD_EVENT_STOP) {
            self->stop = true;
            return DSND_OK;
        }
    }
}

static enum dsnd_err reload(struct pipeline *self)
{
    static struct settings fresh;
    struct config_error error = {""};
    enum dsnd_err err = await_writer(self);

    if (err || self->stop)
        return err;
    if (settings_reload(&fresh, &error) == DSND_OK) {
        struct settings old = *self->settings;

        *self->settings = fresh;
        if (load_material(self, &error) == DSND_OK) {
            struct store_policy policy = make_policy(self);

            pipeline_writer_set_policy(self->writer, &policy);
            log_event(LOG_LEVEL_INFO, "pipeline.reloaded", "rules=%.*s",
                      DSND_STR_ARG(rule_set_version(self->rules)));
            reload_done(&fresh, "pipeline");
            return DSND_OK;
        }
        *self->settings = old;
    }
    reload_failed("pipeline.reload_failed", &error);
    return DSND_OK;
}

static enum dsnd_err turn(struct pipeline *self)
{
    enum dsnd_err err = fill(self);
    struct pipeline_batch *batch = self->batches[self->filling];

    if (err)
        return err;
    set_gauges(self);
    if (batch_due(self)) {
        err = await_writer(self);
        if (err || self->stop)
            return err;
        err = confirm(self);
        pipeline_writer_put(self->writer, batch);
        self->filling ^= 1;
        pipeline_batch_clear(self->batches[self->filling]);
        return err;
    }
    if (!batch->count && pipeline_writer_wait(self->writer, 0) == PIPELINE_WRITER_IDLE)
        err = confirm(self);
    if (!err)
        journal_reader_wait(self->reader, batch->count ? (unsigned)self->settings->pipeline.linger
                                                       : PIPELINE_IDLE_WAIT_MS);
    return err;
}

static enum dsnd_err run(struct pipeline *self)
{
    struct journal_position position;
    enum dsnd_err err = await_writer(self);

    if (err || self->stop)
        return err;
    position = pipeline_writer_position(self->writer);
    log_event(LOG_LEVEL_INFO, "pipeline.start", "journal=%s sequence=%llu rules=%.*s",
              journal_reader_id(self->reader), (unsigned long long)position.sequence,
              DSND_STR_ARG(rule_set_version(self->rules)));
    err = journal_reader_seek(self->reader, &position);
    if (err == DSND_ERR_NOT_FOUND) {
        log_event(LOG_LEVEL_CRIT, "pipeline.gap",
                  "sequence=%llu error=\"records between the database's position and the oldest "
                  "segment are gone; going on with the oldest\"",
                  (unsigned long long)position.sequence);
        err = DSND_OK;
    }
    while (!err && !self->stop) {
        switch (child_wait(0)) {
        case CHILD_EVENT_NONE:
            err = turn(self);
            break;
        case CHILD_EVENT_RELOAD:
            err = reload(self);
            break;
        case CHILD_EVENT_STOP:
            self->stop = true;
            break;
        }
    }
    return err;
}

/* What untrusted mail may make this process take. The sanitizers' shadow memory needs more. */
static enum dsnd_err limit_memory(uint64_t octets)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    (void)octets;
#else
    struct rlimit limit = {octets, octets};

    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return DSND_ERR_IO;
#endif
    return DSND_OK;
}

static enum dsnd_err open_all(struct pipeline *self)
{
    struct pipeline_writer_settings writer;
    struct config_error error = {""};
    pthread_t watchdog;
    enum dsnd_err err = limit_memory(self->settings->pipeline.memory);

    if (err)
        return err;
    err = journal_reader_open(self->settings->journal.dir, &self->reader);
    if (err)
        return err;
    crash_await(self->reader);
    err = load_material(self, &error);
    if (err) {
        log_event(LOG_LEVEL_CRIT, "pipeline.config", "error=\"%s\"", LOG_QUOTED(error.text));
        return DSND_ERR_SYNTAX;
    }
    for (int i = 0; i < 2 && !err; i++)
        err = pipeline_batch_new(self->settings->pipeline.batch, &self->batches[i]);
    if (err)
        return err;
    writer = (struct pipeline_writer_settings){
        .database_url = self->settings->database.url,
        .journal_id = journal_reader_id(self->reader),
        .policy = make_policy(self),
        .retention = {(int64_t)self->settings->retain.raw * PIPELINE_US_PER_MS,
                      (int64_t)self->settings->retain.status * PIPELINE_US_PER_MS,
                      (int64_t)self->settings->delay.horizon * PIPELINE_US_PER_MS,
                      7 * DSND_US_PER_DAY},
    };
    errno = pthread_create(&watchdog, NULL, watchdog_main, NULL);
    if (errno)
        return DSND_ERR_IO;
    (void)pthread_detach(watchdog);
    return pipeline_writer_new(&writer, &self->writer);
}

static void close_all(struct pipeline *self)
{
    pipeline_writer_free(self->writer);
    crash_await(NULL);
    journal_reader_close(self->reader);
    parser_free(self->context.parser);
    rule_set_free(self->rules);
    for (int i = 0; i < 2; i++)
        pipeline_batch_free(self->batches[i]);
}

int cmd_pipeline(int argc, char **argv)
{
    static struct settings settings;
    struct pipeline self = {.settings = &settings};
    enum dsnd_err err;
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd pipeline [-c FILE]\n\n"
        "Reads the journal, parses what it holds, and stores it in PostgreSQL. SIGHUP reloads\n"
        "rules and keys; SIGTERM ends after the transaction under way.\n",
        &settings);

    if (status >= 0)
        return status;
    err = child_begin("pipeline", METRICS_SLOT_PIPELINE);
    if (!err)
        err = child_give_up_root(settings.process.user, false);
    if (!err)
        err = open_all(&self);
    if (!err) {
        child_ready();
        err = run(&self);
    }
    if (err)
        log_event(LOG_LEVEL_CRIT, "pipeline.failed", "error=\"%s\" errno=\"%s\" journal_dir=%s",
                  dsnd_err_text(err), err == DSND_ERR_IO ? strerror(errno) : "",
                  settings.journal.dir);
    close_all(&self);
    return child_exit_status(err);
}
