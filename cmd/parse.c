#include "parse/parse.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/mail_files.h"
#include "cmd/material.h"
#include "cmd/parse_pool.h"
#include "cmd/report_json.h"

enum {
    ARENA_MAX = 64 * 1024 * 1024,
    LINE_OCTETS_MAX = 256 * 1024 * 1024,
    RAW_HEADERS_MAX = 256 * 1024,
};

static const char help[] =
    "usage: dsnd parse [--raw-headers] [-j N] PATH...\n\n"
    "Reads messages, folders, maildirs, mboxes, or standard input (\"-\"), and prints for each\n"
    "message one line of JSON: what it reports, about whom, and how that is classified. Needs\n"
    "no database and no configuration.\n\n"
    "  -j, --jobs N       threads that parse; default: one a processor. The output is the same\n"
    "  --raw-headers      add the message's header as it stands\n"
    "  --rules FILE       default: classify.rules, else the built-in rules\n"
    "  --providers FILE   default: classify.providers, else none but the built-in ones\n"
    "  -c, --config FILE  the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n\n"
    "Ends with 1 where a file could not be read.\n";

struct parse_command;

/* What one thread parses with. */
struct worker {
    const struct parse_command *command;
    struct parser *parser;
    struct dsnd_arena arena;
};

struct parse_command {
    struct settings settings;
    struct rule_set *rules;
    struct worker workers[PARSE_POOL_THREADS_MAX];
    size_t worker_count;     /* 0: not said */
    struct parse_pool *pool; /* NULL: one thread does all */
    struct dsnd_buf line;
    bool raw_headers;
    const char *config;
    const char *rules_file;
    const char *providers_file;
};

/* Up to the first empty line. */
static struct dsnd_str header_block(struct dsnd_str message)
{
    struct dsnd_str rest = dsnd_str_slice(message, 0, RAW_HEADERS_MAX);
    struct dsnd_str line;
    size_t len = 0;

    while ((line = dsnd_str_line(&rest)).len)
        len = (size_t)(line.ptr + line.len - message.ptr);
    return dsnd_str_make(message.ptr, len);
}

static enum dsnd_err make_line(void *context, struct dsnd_str name, struct dsnd_str message,
                               struct dsnd_buf *line)
{
    struct worker *self = context;
    struct report_json_extra extra = {.file = name, .raw_headers = DSND_STR_ABSENT};
    struct report report;
    struct json_out json;
    enum dsnd_err err = parser_run(self->parser, message, &self->arena, &report);

    if (!err) {
        if (self->command->raw_headers)
            extra.raw_headers = header_block(message);
        json_out_init(&json, line);
        report_json_write(&json, &report, &extra);
        err = json.err ? json.err : dsnd_buf_add_char(line, '\n');
    }
    dsnd_arena_clear(&self->arena);
    return err;
}

static enum dsnd_err print_report(void *context, struct dsnd_str name, struct dsnd_str message)
{
    struct parse_command *self = context;
    enum dsnd_err err;

    if (self->pool)
        return parse_pool_put(self->pool, name, message);
    err = make_line(&self->workers[0], name, message, &self->line);
    if (!err && fwrite(self->line.ptr, 1, self->line.len, stdout) != self->line.len)
        err = DSND_ERR_IO;
    dsnd_buf_clear(&self->line);
    return err;
}

static bool take_jobs(struct parse_command *self, struct dsnd_str text)
{
    uint64_t count;

    if (dsnd_str_to_u64(text, PARSE_POOL_THREADS_MAX, &count) || count == 0) {
        (void)fprintf(stderr, "dsnd parse: --jobs: 1 to %d is allowed\n", PARSE_POOL_THREADS_MAX);
        return false;
    }
    self->worker_count = (size_t)count;
    return true;
}

static int read_options(struct parse_command *self, int argc, char **argv)
{
    static const struct option options[] = {{"raw-headers", no_argument, NULL, 'R'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"providers", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int choice;

    while ((choice = getopt_long(argc, argv, "c:j:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        if (choice == 'R')
            self->raw_headers = true;
        else if (choice == 'r')
            self->rules_file = optarg;
        else if (choice == 'p')
            self->providers_file = optarg;
        else if (choice == 'c')
            self->config = optarg;
        else if (choice != 'j' || !take_jobs(self, dsnd_str_of(optarg)))
            return EXIT_USAGE;
    }
    if (optind < argc)
        return -1;
    return arguments_wrong("parse", help, "PATH is missing; \"-\" is standard input");
}

/* That this process may run on. */
static size_t processors(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

    return count < 1 ? 1 : count > PARSE_POOL_THREADS_MAX ? PARSE_POOL_THREADS_MAX : (size_t)count;
}

static enum dsnd_err start_workers(struct parse_command *self)
{
    struct dsnd_str headers = dsnd_str_of(self->settings.classify.campaign_headers);
    void *pointers[PARSE_POOL_THREADS_MAX];
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < self->worker_count && !err; i++) {
        struct worker *worker = &self->workers[i];

        worker->command = self;
        worker->arena = DSND_ARENA_INIT(ARENA_MAX);
        pointers[i] = worker;
        err = parser_new(&parse_limits_default, self->rules, headers, &worker->parser);
    }
    if (!err && self->worker_count > 1)
        err = parse_pool_new(pointers, self->worker_count, make_line, stdout, &self->pool);
    return err;
}

/* Settings, rules and parsers; what is wrong has been printed. */
static enum dsnd_err prepare(struct parse_command *self)
{
    struct config_error error;
    enum dsnd_err err = arguments_settings("parse", self->config, &self->settings);

    if (!err && self->rules_file)
        err = arguments_override("parse", "classify", "rules", self->rules_file, &self->settings);
    if (!err && self->providers_file)
        err = arguments_override("parse", "classify", "providers", self->providers_file,
                                 &self->settings);
    if (err)
        return err;
    err = material_rules(&self->settings, &self->rules, &error);
    if (err) {
        (void)fprintf(stderr, "dsnd parse: %s\n", error.text);
        return err;
    }
    if (!self->worker_count)
        self->worker_count = processors();
    return start_workers(self);
}

/* Every message of the arguments; `*ret_unreadable` where a file was not. */
static enum dsnd_err walk(struct parse_command *self, int argc, char **argv, bool *ret_unreadable)
{
    enum dsnd_err err = DSND_OK;
    enum dsnd_err finished;

    for (int i = optind; i < argc && !err; i++) {
        err = mail_files_walk(argv[i], print_report, self);
        if (err == DSND_ERR_IO && !ferror(stdout)) {
            *ret_unreadable = true;
            err = DSND_OK;
        }
    }
    finished = self->pool ? parse_pool_finish(self->pool) : DSND_OK;
    if (!err)
        err = finished;
    if (!err && fflush(stdout) != 0)
        err = DSND_ERR_IO;
    return err;
}

int cmd_parse(int argc, char **argv)
{
    static struct parse_command self;
    bool unreadable = false;
    enum dsnd_err err;
    int status = read_options(&self, argc, argv);

    if (status >= 0)
        return status;
    self.line = DSND_BUF_INIT(LINE_OCTETS_MAX);
    err = prepare(&self);
    if (!err)
        err = walk(&self, argc, argv, &unreadable);
    if (err)
        (void)fprintf(stderr, "dsnd parse: %s\n", dsnd_err_text(err));
    parse_pool_free(self.pool);
    for (size_t i = 0; i < self.worker_count; i++) {
        parser_free(self.workers[i].parser);
        dsnd_arena_done(&self.workers[i].arena);
    }
    rule_set_free(self.rules);
    dsnd_buf_done(&self.line);
    return err || unreadable ? EXIT_FAILED : EXIT_DONE;
}
