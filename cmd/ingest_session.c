#include "cmd/ingest_session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/log_batch.h"
#include "cmd/log_clock.h"
#include "cmd/log_folder.h"
#include "cmd/material.h"
#include "ingest/journal_id.h"

enum { US_PER_MS = 1000, DUPLICATE_DAYS = 7, BAD_SHOWN = 5, SOURCE_SIZE = PATH_MAX + 512 };

struct ingest_session {
    struct settings settings;
    struct return_path_keys keys;
    struct rule_set *rules;
    struct log_context context;
    struct store_policy policy;
    struct store_conn *conn;
    struct mta_log log;
    struct log_batch batch;
    struct log_folder folder;
    struct dsnd_arena line_arena; /* of one line */
    char source[SOURCE_SIZE];
    char pipe_journal[JOURNAL_ID_SIZE]; /* a pipe is a journal of its own each time */
    struct log_counts total;
    uint64_t lines;
    uint64_t bad;
    uint64_t old;
    bool waits;   /* for the database, and for somebody else's end, who reads this log */
    bool is_busy; /* he reads it */
    struct log_clock clock;
};

static void complain(const struct ingest_session *self, const char *what, enum dsnd_err err)
{
    (void)fprintf(stderr, "dsnd ingest: %s: %s %s\n", what, dsnd_err_text(err),
                  self->conn ? store_conn_error(self->conn) : "");
}

/* ---- beginning ---- */

static void drop_connection(struct ingest_session *self)
{
    store_conn_free(self->conn);
    self->conn = NULL;
}

static enum dsnd_err connect_database(struct ingest_session *self)
{
    bool mine = false;
    enum dsnd_err err;

    drop_connection(self);
    err = store_connect(self->settings.database.url, "dsnd ingest", &self->conn);
    if (!err)
        err = store_log_source(self->conn, dsnd_str_of(self->source), &self->context.source_id);
    if (!err)
        err = store_log_lock(self->conn, self->context.source_id, &mine);
    if (err)
        return err;
    /* The database may not have noticed yet that a connection of ours is gone. */
    if (!mine && !self->is_busy)
        (void)fprintf(stderr, "dsnd ingest: another dsnd ingest reads this log (%s)%s\n",
                      self->source, self->waits ? "; waiting for its end" : "");
    self->is_busy = !mine;
    if (self->is_busy)
        err = self->waits ? DSND_ERR_UNAVAILABLE : DSND_ERR_REFUSED;
    return err;
}

/* "postfix:mail.example.com:/var/log/mail.log", or "postfix:NAME". */
static enum dsnd_err name_source(struct ingest_session *self, const struct ingest_options *options)
{
    char host[CONFIG_STRING_SIZE] = "";
    char path[PATH_MAX] = "-";
    const char *format = mta_log_format_name(options->format);
    int len;

    if (options->name) {
        len = snprintf(self->source, sizeof(self->source), "%s:%s", format, options->name);
        return len < (int)sizeof(self->source) ? DSND_OK : DSND_ERR_LIMIT;
    }
    if (gethostname(host, sizeof(host) - 1) != 0)
        return DSND_ERR_IO;
    /* A log that is not there yet has the name it was given. */
    if (strcmp(options->path, "-") != 0 && !realpath(options->path, path) &&
        dsnd_str_copy(dsnd_str_of(options->path), path, sizeof(path)) != DSND_OK)
        return DSND_ERR_LIMIT;
    len = snprintf(self->source, sizeof(self->source), "%s:%s:%s", format, host, path);
    return len < (int)sizeof(self->source) ? DSND_OK : DSND_ERR_LIMIT;
}

static void set_policy(struct ingest_session *self, const struct ingest_options *options)
{
    self->policy = (struct store_policy){
        .rules_version = rule_set_version(self->rules),
        .providers = rule_set_providers(self->rules),
        .duplicate_window_us = DUPLICATE_DAYS * DSND_US_PER_DAY,
        .delay_horizon_us = (int64_t)self->settings.delay.horizon * US_PER_MS,
        .min_evidence = (enum store_evidence)self->settings.counts.min_evidence,
        .keep_raw = false,
        .keys = &self->keys,
        .return_path_max_age_us = (int64_t)self->settings.sign.max_age * US_PER_MS,
    };
    self->context.keys = &self->keys;
    self->context.max_age_us = self->policy.return_path_max_age_us;
    self->context.rules = self->rules;
    self->context.keep_foreign = options->keep_foreign;
    self->waits = options->waits;
}

/* -1 to go on, else the exit status. */
static int load(struct ingest_session *self, const struct ingest_options *options)
{
    struct config_error error = {""};
    enum dsnd_err err;

    if (arguments_settings("ingest", options->config, &self->settings) != DSND_OK)
        return EXIT_USAGE;
    err = material_keys(&self->settings, &self->keys, &error);
    if (!err)
        err = material_rules(&self->settings, &self->rules, &error);
    if (err) {
        (void)fprintf(stderr, "dsnd ingest: %s\n", error.text);
        return EXIT_USAGE;
    }
    if (!self->keys.count && !options->keep_foreign) {
        (void)fprintf(stderr, "dsnd ingest: without keys (sign.keys_file) no mail is ours; --all"
                              " stores results of all mail\n");
        return EXIT_USAGE;
    }
    set_policy(self, options);
    return -1;
}

static enum dsnd_err begin(struct ingest_session *self, const struct ingest_options *options)
{
    const struct mta_clock clock = {log_clock_local_us, &self->clock, 0};
    enum dsnd_err err = rule_scratch_new(self->rules, &self->context.scratch);

    mta_log_init(&self->log, options->format, &clock);
    self->line_arena = DSND_ARENA_INIT((size_t)LOG_LINE_MAX * 16);
    if (!err)
        err = log_batch_init(&self->batch);
    if (!err)
        err = name_source(self, options);
    if (!err)
        err = connect_database(self);
    /* At a boot the database may come later than the mail server, whose log waits anyway. */
    if (err == DSND_ERR_UNAVAILABLE && self->waits) {
        if (!self->is_busy)
            complain(self, "waiting for the database", err);
        drop_connection(self);
        err = DSND_OK;
    }
    return err;
}

int ingest_session_new(const struct ingest_options *options, struct ingest_session **ret_session)
{
    struct ingest_session *self = calloc(1, sizeof(*self));
    enum dsnd_err err;
    int status;

    *ret_session = self;
    if (!self)
        return EXIT_FAILED;
    tzset();
    status = load(self, options);
    if (status >= 0)
        return status;
    err = begin(self, options);
    if (err && !self->is_busy)
        complain(self, "cannot begin", err);
    return err ? EXIT_FAILED : -1;
}

void ingest_session_free(struct ingest_session *self)
{
    if (!self)
        return;
    explicit_bzero(&self->keys, sizeof(self->keys));
    store_conn_free(self->conn);
    log_batch_done(&self->batch);
    log_folder_done(&self->folder);
    dsnd_arena_done(&self->line_arena);
    rule_scratch_free(self->context.scratch);
    rule_set_free(self->rules);
    free(self);
}

/* ---- lines ---- */

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

enum dsnd_err ingest_session_choose(struct ingest_session *self, const char *path,
                                    struct log_file *ret_file, enum log_files_note *ret_note)
{
    enum dsnd_err err = DSND_OK;

    *ret_note = LOG_FILES_FOUND;
    if (!self->conn)
        err = connect_database(self);
    if (!err)
        err = is_folder(path)
                  ? log_folder_next(&self->folder, self->conn, self->context.source_id, path,
                                    ret_file)
                  : log_files_next(self->conn, self->context.source_id, path, ret_file, ret_note);
    if (err == DSND_ERR_UNAVAILABLE)
        drop_connection(self);
    return err;
}

/* A file that begins in the middle still has its header line in front. */
static void read_header(struct ingest_session *self, const struct log_file *file)
{
    struct dsnd_str front = {file->front, file->front_octets};
    struct mta_event event;
    const char *why;

    if (self->log.format != MTA_LOG_POWERMTA || !file->offset)
        return;
    if (mta_log_read(&self->log, dsnd_str_line(&front), &self->line_arena, &event, &why))
        self->log.column_count = 0;
    dsnd_arena_clear(&self->line_arena);
}

void ingest_session_begin(struct ingest_session *self, const struct log_file *file)
{
    self->log.column_count = 0;
    log_clock_begin(&self->clock, file->offset > 0);
    read_header(self, file);
}

static void name_bad(struct ingest_session *self, const struct log_file *file,
                     const struct log_reader *reader, const char *why)
{
    if (self->bad++ < BAD_SHOWN)
        (void)fprintf(stderr, "dsnd ingest: %s: line %llu: %s\n", file->path,
                      (unsigned long long)reader->lines, why);
}

/* Rows are kept by the day of the event: days beyond what is kept, or to come, have no place. */
static bool has_place(struct ingest_session *self, const struct log_file *file,
                      const struct log_reader *reader, int64_t at_us)
{
    int64_t now_us = dsnd_clock_now_us();
    int64_t keep_us = (int64_t)self->settings.retain.status * US_PER_MS;

    if (at_us > now_us + DSND_US_PER_DAY) {
        name_bad(self, file, reader, "its time is more than a day in the future");
        return false;
    }
    if (keep_us > 0 && at_us < now_us - keep_us) {
        self->old++;
        return false;
    }
    return true;
}

/* Of these formats a line has one time, its own; the others have several, mostly with a zone. */
static bool tells_time(const struct ingest_session *self)
{
    return self->log.format == MTA_LOG_POSTFIX || self->log.format == MTA_LOG_EXIM;
}

enum dsnd_err ingest_session_line(struct ingest_session *self, const struct log_file *file,
                                  const struct log_reader *reader, struct dsnd_str line)
{
    struct mta_event event;
    const char *why = "";
    enum dsnd_err err;

    self->lines++;
    if (!dsnd_str_present(line)) {
        name_bad(self, file, reader, "is longer than 256 KiB");
        return DSND_OK;
    }
    /* No line of a file is younger than the file. */
    self->log.clock.now_us = dsnd_clock_now_us();
    if (file->modified.tv_sec && !reader->is_pipe)
        self->log.clock.now_us = (int64_t)file->modified.tv_sec * DSND_US_PER_S;
    self->clock.end_us = self->log.clock.now_us + DSND_US_PER_S;
    err = mta_log_read(&self->log, line, &self->line_arena, &event, &why);
    if (!err && tells_time(self))
        self->clock.last_us = event.at_us;
    if (err == DSND_ERR_SYNTAX)
        name_bad(self, file, reader, why);
    else if (!err && event.kind != MTA_EVENT_OTHER && has_place(self, file, reader, event.at_us))
        err = log_batch_add(&self->batch, &event, line, reader->offset);
    dsnd_arena_clear(&self->line_arena);
    return err == DSND_ERR_SYNTAX ? DSND_OK : err;
}

bool ingest_session_full(const struct ingest_session *self)
{
    return log_batch_full(&self->batch);
}

/* ---- batches ---- */

static void add_counts(struct ingest_session *self, const struct store_batch_result *result)
{
    const struct log_counts *from = &self->batch.counts;
    struct log_counts *to = &self->total;
    uint64_t results;

    to->sent += result->sends;
    to->repeated += result->duplicates;
    to->refused += result->quarantined;
    to->delivered += from->delivered;
    to->delayed += from->delayed;
    to->failed += from->failed;
    to->complaints += from->complaints;
    to->foreign += from->foreign;
    to->unknown += from->unknown;
    results = to->delivered + to->delayed + to->failed;
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%llu lines, %llu results", (unsigned long long)self->lines,
                      (unsigned long long)results);
}

/* Journal of a pipe: one a run, for nobody knows what it will give the next time. */
static enum dsnd_err name_journal(struct ingest_session *self, struct log_file *file,
                                  const struct log_reader *reader)
{
    enum dsnd_err err = DSND_OK;

    if (!reader->is_pipe)
        return log_file_record(file, self->conn, self->context.source_id);
    if (!self->pipe_journal[0])
        err = journal_id_random(self->pipe_journal);
    memcpy(file->journal, self->pipe_journal, sizeof(file->journal));
    return err;
}

static enum dsnd_err try_store(struct ingest_session *self, struct log_file *file,
                               const struct log_reader *reader, struct store_batch_result *result)
{
    struct store_journal_position position = {
        .sequence = reader->offset,
        .segment = reader->lines,
        .offset = reader->offset,
        .log = &self->batch.changes,
    };
    enum dsnd_err err = self->conn ? DSND_OK : connect_database(self);

    if (!err)
        err = name_journal(self, file, reader);
    if (!err)
        err = log_batch_join(&self->batch, &self->context, self->conn);
    position.journal_id = file->journal;
    if (!err)
        err = store_write_batch(self->conn, &self->policy, &position, self->batch.items,
                                self->batch.item_count, result);
    return err;
}

enum dsnd_err ingest_session_store(struct ingest_session *self, struct log_file *file,
                                   const struct log_reader *reader)
{
    struct store_batch_result result = {0};
    enum dsnd_err err;

    if (!reader->offset || (reader->offset == file->offset && !self->batch.event_count))
        return DSND_OK;
    err = try_store(self, file, reader, &result);
    if (err == DSND_ERR_UNAVAILABLE) {
        if (!self->is_busy)
            complain(self, "the database", err);
        drop_connection(self);
    }
    if (err)
        return err;
    file->offset = reader->offset;
    add_counts(self, &result);
    return log_batch_clear(&self->batch);
}

enum dsnd_err ingest_session_done(struct ingest_session *self, struct log_file *file)
{
    enum dsnd_err err = self->conn ? DSND_OK : connect_database(self);

    /* The front it ended with: another tells that it is another file. */
    if (!err && file->is_known)
        err = log_file_record(file, self->conn, self->context.source_id);
    if (!err && file->is_known)
        err = log_file_end(file, self->conn);
    if (!err && file->of_folder && file->is_done)
        err = log_folder_pass(&self->folder, file);
    if (err == DSND_ERR_UNAVAILABLE)
        drop_connection(self);
    return err;
}

bool ingest_session_end(struct ingest_session *self, enum dsnd_err err)
{
    const struct log_counts *n = &self->total;

    if (isatty(STDERR_FILENO))
        (void)fputc('\n', stderr);
    if (err && !self->is_busy && err != DSND_ERR_IO && err != DSND_ERR_CORRUPT)
        complain(self, "ended", err);
    (void)printf("%llu lines: %llu delivered, %llu delayed, %llu failed, %llu complaints; "
                 "%llu registered as sent; %llu read before, %llu set aside; not ours: %llu, of "
                 "unknown messages: %llu, too old: %llu, no good: %llu\n",
                 (unsigned long long)self->lines, (unsigned long long)n->delivered,
                 (unsigned long long)n->delayed, (unsigned long long)n->failed,
                 (unsigned long long)n->complaints, (unsigned long long)n->sent,
                 (unsigned long long)n->repeated, (unsigned long long)n->refused,
                 (unsigned long long)n->foreign, (unsigned long long)n->unknown,
                 (unsigned long long)self->old, (unsigned long long)self->bad);
    return !err;
}
