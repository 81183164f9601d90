#include <getopt.h>
#include <stdio.h>

#include "base/clock.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/explain_page.h"
#include "cmd/mail_files.h"
#include "cmd/material.h"
#include "parse/parse.h"

enum { ARENA_MAX = 64 * 1024 * 1024, TRACE_MAX = 1024 * 1024, PAGE_MAX = 64 * 1024 * 1024 };

static const char help[] =
    "usage: dsnd explain FILE...\n\n"
    "Says for people how each message is read (\"-\": standard input): its parts, which reader\n"
    "decided, where each recipient came from, which rule matched which text, what the return\n"
    "path says and whether it is believed, and what follows for suppression. Needs no database;\n"
    "signatures are checked where there are keys.\n\n"
    "  --keys FILE        default: sign.keys_file\n"
    "  --rules FILE       default: classify.rules, else the built-in rules\n"
    "  --providers FILE   default: classify.providers, else none but the built-in ones\n"
    "  -c, --config FILE  the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n";

struct explain {
    struct settings settings;
    struct return_path_keys keys;
    struct rule_set *rules;
    struct parser *parser;
    struct dsnd_buf trace;
    struct dsnd_buf page;
    const char *config;
    const char *rules_file;
    const char *providers_file;
    const char *keys_file;
};

static enum dsnd_err explain_one(void *context, struct dsnd_str name, struct dsnd_str message)
{
    struct explain *self = context;
    struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_MAX);
    struct report report;
    struct explain_page page = {.out = &self->page,
                                .rules = self->rules,
                                .keys = &self->keys,
                                .now_us = dsnd_clock_now_us(),
                                .max_age_us = (int64_t)self->settings.sign.max_age * 1000};
    enum dsnd_err err = parser_run(self->parser, message, &arena, &report);

    if (!err)
        err = explain_page_write(&page, name, message, &report, dsnd_buf_str(&self->trace));
    if (!err && fwrite(self->page.ptr, 1, self->page.len, stdout) != self->page.len)
        err = DSND_ERR_IO;
    dsnd_buf_clear(&self->trace);
    dsnd_buf_clear(&self->page);
    dsnd_arena_done(&arena);
    return err;
}

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct explain *self)
{
    static const struct option options[] = {{"keys", required_argument, NULL, 'k'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"providers", required_argument, NULL, 'p'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int choice;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        if (choice == 'k')
            self->keys_file = optarg;
        else if (choice == 'r')
            self->rules_file = optarg;
        else if (choice == 'p')
            self->providers_file = optarg;
        else if (choice == 'c')
            self->config = optarg;
        else
            return EXIT_USAGE;
    }
    if (optind < argc)
        return -1;
    return arguments_wrong("explain", help, "FILE is missing; \"-\" is standard input");
}

static enum dsnd_err override(struct explain *self, const char *section, const char *key,
                              const char *value)
{
    return value ? arguments_override("explain", section, key, value, &self->settings) : DSND_OK;
}

/* What is wrong has been printed. */
static enum dsnd_err load(struct explain *self)
{
    struct config_error error = {""};
    enum dsnd_err err = arguments_settings("explain", self->config, &self->settings);

    if (!err)
        err = override(self, "classify", "rules", self->rules_file);
    if (!err)
        err = override(self, "classify", "providers", self->providers_file);
    if (!err)
        err = override(self, "sign", "keys_file", self->keys_file);
    if (err)
        return err;
    err = material_keys(&self->settings, &self->keys, &error);
    if (!err)
        err = material_rules(&self->settings, &self->rules, &error);
    if (err) {
        (void)fprintf(stderr, "dsnd explain: %s\n", error.text);
        return err;
    }
    err = parser_new(&parse_limits_default, self->rules,
                     dsnd_str_of(self->settings.classify.campaign_headers), &self->parser);
    if (!err)
        parser_trace(self->parser, &self->trace);
    return err;
}

int cmd_explain(int argc, char **argv)
{
    static struct explain self;
    enum dsnd_err err = DSND_OK;
    int status = read_options(argc, argv, &self);

    if (status >= 0)
        return status;
    self.trace = DSND_BUF_INIT(TRACE_MAX);
    self.page = DSND_BUF_INIT(PAGE_MAX);
    status = EXIT_DONE;
    if (load(&self)) {
        status = EXIT_USAGE;
        goto out;
    }
    for (int i = optind; i < argc; i++) {
        err = mail_files_walk(argv[i], explain_one, &self);
        if (err)
            status = EXIT_FAILED;
        if (err && err != DSND_ERR_IO)
            (void)fprintf(stderr, "dsnd explain: %s: %s\n", argv[i], dsnd_err_text(err));
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        status = EXIT_FAILED;
out:
    parser_free(self.parser);
    rule_set_free(self.rules);
    dsnd_buf_done(&self.trace);
    dsnd_buf_done(&self.page);
    return status;
}
