/*
 * dsnd import: stored messages into the database, by the batch code of the pipeline.
 *
 * The receiver holds the journal, so these messages take the way behind it: each run is a journal
 * of its own with sequences from 1. A file can be read again, so nothing has to be durable before
 * its rows are; what a run that was cut off has stored, the next one recognises as received before.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/mail_files.h"
#include "cmd/material.h"
#include "cmd/pipeline_batch.h"
#include "cmd/stored_envelope.h"
#include "ingest/journal_id.h"

enum { BATCH = 1000, TRIES = 5, US_PER_MS = 1000 };

static const char help[] =
    "usage: dsnd import PATH...\n\n"
    "Stores messages, folders, maildirs, mboxes, or standard input (\"-\") in the database as if\n"
    "they were received now. The envelope's recipient is taken from Delivered-To, X-Original-To,\n"
    "Envelope-To, X-Envelope-To, X-Rcpt-To or To, one that has the form of a signed return path\n"
    "before any other. What was received in the last seven days, imported or not, is stored\n"
    "once: running it again changes no count. dsnd serve may run meanwhile or not.\n\n"
    "  -c, --config FILE  the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n\n"
    "Ends with 1 where a file could not be read or stored; the rest is stored.\n";

struct import {
    struct settings settings;
    struct return_path_keys keys;
    struct rule_set *rules;
    struct pipeline_context context;
    struct pipeline_batch *batch;
    struct store_conn *conn;
    struct store_policy policy;
    struct store_batch_result total;
    char journal_id[JOURNAL_ID_SIZE];
    uint64_t sequence;
    uint64_t too_large;
    const char *config;
};

static void show_progress(const struct import *self, const char *end)
{
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%llu messages%s", (unsigned long long)self->sequence, end);
}

static void complain(const struct import *self, const char *what, enum dsnd_err err)
{
    (void)fprintf(stderr, "dsnd import: %s: %s %s\n", what, dsnd_err_text(err),
                  self->conn ? store_conn_error(self->conn) : "");
}

static enum dsnd_err connect_database(struct import *self)
{
    store_conn_free(self->conn);
    self->conn = NULL;
    return store_connect(self->settings.database.url, "dsnd import", &self->conn);
}

/* The same batch may be given again after a doubt; a lost connection is made anew. */
static enum dsnd_err flush(struct import *self)
{
    const struct timespec pause = {1, 0};
    struct store_journal_position position = {.journal_id = self->journal_id,
                                              .sequence = self->sequence};
    struct store_batch_result result = {0};
    enum dsnd_err err = DSND_OK;

    if (!self->batch->count)
        return DSND_OK;
    for (int i = 0; i < TRIES; i++) {
        if (i) {
            (void)nanosleep(&pause, NULL);
            err = connect_database(self);
        }
        if (!err)
            err = store_write_batch(self->conn, &self->policy, &position, self->batch->items,
                                    self->batch->count, &result);
        if (err != DSND_ERR_UNAVAILABLE)
            break;
    }
    if (err) {
        complain(self, "the database", err);
        return err;
    }
    self->total.reports += result.reports;
    self->total.statuses += result.statuses;
    self->total.duplicates += result.duplicates;
    self->total.quarantined += result.quarantined;
    pipeline_batch_clear(self->batch);
    show_progress(self, "");
    return DSND_OK;
}

static enum dsnd_err take(void *context, struct dsnd_str name, struct dsnd_str octets)
{
    struct import *self = context;
    const char *header;
    struct journal_recipient to = {.address = stored_envelope_to(octets, &header)};
    struct journal_record record = {
        .message = {.received_us = dsnd_clock_now_us(),
                    .source = JOURNAL_SOURCE_IMPORT,
                    .recipients = &to,
                    .recipient_count = to.address.len ? 1 : 0,
                    .mail_from = DSND_STR(""),
                    .octets = octets},
        .sequence = self->sequence + 1,
    };
    enum dsnd_err err;

    if (octets.len > JOURNAL_PAYLOAD_MAX) {
        (void)fprintf(stderr, "dsnd import: %.*s: %zu octets; at most %d are allowed\n",
                      DSND_STR_ARG(name), octets.len, JOURNAL_PAYLOAD_MAX);
        self->too_large++;
        return DSND_OK;
    }
    err = pipeline_batch_add(self->batch, &self->context, &record, STORE_QUARANTINE_NONE);
    if (err) {
        complain(self, "memory", err);
        return err;
    }
    self->sequence++;
    return pipeline_batch_full(self->batch) ? flush(self) : DSND_OK;
}

static struct store_policy make_policy(const struct import *self)
{
    return (struct store_policy){
        .rules_version = rule_set_version(self->rules),
        .providers = rule_set_providers(self->rules),
        .duplicate_window_us = 7 * DSND_US_PER_DAY,
        .delay_horizon_us = (int64_t)self->settings.delay.horizon * US_PER_MS,
        .min_evidence = (enum store_evidence)self->settings.counts.min_evidence,
        .keep_raw = self->settings.retain.raw > 0,
        .keys = &self->keys,
        .return_path_max_age_us = (int64_t)self->settings.sign.max_age * US_PER_MS,
    };
}

/* -1 to go on, else the exit status; what is wrong has been printed. */
static int load(struct import *self)
{
    struct config_error error = {""};
    enum dsnd_err err = material_keys(&self->settings, &self->keys, &error);

    if (!err)
        err = material_rules(&self->settings, &self->rules, &error);
    if (err) {
        (void)fprintf(stderr, "dsnd import: %s\n", error.text);
        return EXIT_USAGE;
    }
    self->policy = make_policy(self);
    self->context.keys = &self->keys;
    self->context.max_age_us = self->policy.return_path_max_age_us;
    err = parser_new(&parse_limits_default, self->rules,
                     dsnd_str_of(self->settings.classify.campaign_headers), &self->context.parser);
    if (!err)
        err = pipeline_batch_new(BATCH, &self->batch);
    if (!err)
        err = journal_id_random(self->journal_id);
    if (!err)
        err = connect_database(self);
    if (!err)
        return -1;
    complain(self, "cannot begin", err);
    return EXIT_FAILED;
}

/* -1 to go on, else the exit status. */
static int read_options(struct import *self, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
    int choice;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        if (choice != 'c')
            return EXIT_USAGE;
        self->config = optarg;
    }
    if (optind == argc)
        return arguments_wrong("import", help, "PATH is missing; \"-\" is standard input");
    return arguments_settings("import", self->config, &self->settings) ? EXIT_USAGE : -1;
}

static int run(struct import *self, int argc, char **argv)
{
    int status = EXIT_DONE;
    enum dsnd_err err = DSND_OK;

    for (int i = optind; i < argc && !err; i++) {
        err = mail_files_walk(argv[i], take, self);
        if (err == DSND_ERR_IO) { /* named already; the rest goes on */
            status = EXIT_FAILED;
            err = DSND_OK;
        }
    }
    if (!err)
        err = flush(self);
    show_progress(self, "\n");
    (void)printf("%zu reports stored with %zu status records, %zu received before, %zu set aside\n",
                 self->total.reports, self->total.statuses, self->total.duplicates,
                 self->total.quarantined);
    return err || self->too_large ? EXIT_FAILED : status;
}

int cmd_import(int argc, char **argv)
{
    static struct import self;
    int status = read_options(&self, argc, argv);

    if (status < 0)
        status = load(&self);
    if (status < 0)
        status = run(&self, argc, argv);
    explicit_bzero(&self.keys, sizeof(self.keys));
    store_conn_free(self.conn);
    pipeline_batch_free(self.batch);
    parser_free(self.context.parser);
    rule_set_free(self.rules);
    return status;
}
