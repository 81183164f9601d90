#include "parse/parse.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/mail_files.h"
#include "cmd/material.h"
#include "cmd/report_json.h"

enum {
    ARENA_MAX = 64 * 1024 * 1024,
    LINE_OCTETS_MAX = 256 * 1024 * 1024,
    RAW_HEADERS_MAX = 256 * 1024,
};

static const char help[] =
    "usage: dsnd parse [--raw-headers] PATH...\n\n"
    "Reads messages, folders, maildirs, mboxes, or standard input (\"-\"), and prints for each\n"
    "message one line of JSON: what it reports, about whom, and how that is classified. Needs\n"
    "no database and no configuration.\n\n"
    "  --raw-headers      add the message's header as it stands\n"
    "  --rules FILE       default: classify.rules, else the built-in rules\n"
    "  -c, --config FILE  the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n\n"
    "Ends with 1 where a file could not be read.\n";

struct parse_command {
    struct settings settings;
    struct rule_set *rules;
    struct parser *parser;
    struct dsnd_arena arena;
    struct dsnd_buf line;
    bool raw_headers;
    const char *config;
    const char *rules_file;
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

static enum dsnd_err print_report(void *context, struct dsnd_str name, struct dsnd_str message)
{
    struct parse_command *self = context;
    struct report_json_extra extra = {.file = name, .raw_headers = DSND_STR_ABSENT};
    struct report report;
    struct json_out json;
    enum dsnd_err err = parser_run(self->parser, message, &self->arena, &report);

    if (!err) {
        if (self->raw_headers)
            extra.raw_headers = header_block(message);
        json_out_init(&json, &self->line);
        report_json_write(&json, &report, &extra);
        err = json.err ? json.err : dsnd_buf_add_char(&self->line, '\n');
    }
    if (!err && fwrite(self->line.ptr, 1, self->line.len, stdout) != self->line.len)
        err = DSND_ERR_IO;
    dsnd_buf_clear(&self->line);
    dsnd_arena_clear(&self->arena);
    return err;
}

static int read_options(struct parse_command *self, int argc, char **argv)
{
    static const struct option options[] = {{"raw-headers", no_argument, NULL, 'R'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int choice;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        if (choice == 'R')
            self->raw_headers = true;
        else if (choice == 'r')
            self->rules_file = optarg;
        else if (choice == 'c')
            self->config = optarg;
        else
            return EXIT_USAGE;
    }
    if (optind < argc)
        return -1;
    (void)fputs(help, stderr);
    return EXIT_USAGE;
}

/* Settings, rules and parser; what is wrong has been printed. */
static enum dsnd_err prepare(struct parse_command *self)
{
    struct config_error error;
    enum dsnd_err err = arguments_settings("parse", self->config, &self->settings);

    if (!err && self->rules_file)
        err = arguments_override("parse", "classify", "rules", self->rules_file, &self->settings);
    if (err)
        return err;
    err = material_rules(&self->settings, &self->rules, &error);
    if (err) {
        (void)fprintf(stderr, "dsnd parse: %s\n", error.text);
        return err;
    }
    return parser_new(&parse_limits_default, self->rules,
                      dsnd_str_of(self->settings.classify.campaign_headers), &self->parser);
}

int cmd_parse(int argc, char **argv)
{
    static struct parse_command self;
    enum dsnd_err err;
    enum dsnd_err unreadable = DSND_OK;
    int status = read_options(&self, argc, argv);

    if (status >= 0)
        return status;
    self.arena = DSND_ARENA_INIT(ARENA_MAX);
    self.line = DSND_BUF_INIT(LINE_OCTETS_MAX);
    err = prepare(&self);
    for (int i = optind; i < argc && !err; i++) {
        err = mail_files_walk(argv[i], print_report, &self);
        if (err == DSND_ERR_IO && !ferror(stdout)) {
            unreadable = err;
            err = DSND_OK;
        }
    }
    if (!err && fflush(stdout) != 0)
        err = DSND_ERR_IO;
    if (err)
        (void)fprintf(stderr, "dsnd parse: %s\n", dsnd_err_text(err));
    parser_free(self.parser);
    rule_set_free(self.rules);
    dsnd_arena_done(&self.arena);
    dsnd_buf_done(&self.line);
    return err || unreadable ? EXIT_FAILED : EXIT_DONE;
}
