#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_out.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/material.h"
#include "parse/status_code.h"

enum { ARENA_MAX = 1 << 20, LINE_MAX_OCTETS = 1 << 16 };

static const char help[] =
    "usage: dsnd classify TEXT [--mx HOST] [--recipient ADDRESS]\n"
    "       dsnd classify - < texts\n\n"
    "Prints as JSON what a diagnostic text means, which rule decided and what it matched. With\n"
    "\"-\" it reads a text a line and prints a line for each.\n\n"
    "  --mx HOST            the server that said it: decides the provider\n"
    "  --recipient ADDRESS  decides the provider where the server does not\n"
    "  --status CODE        the Status field beside the text, such as 4.4.7\n"
    "  --action WORD        failed or delayed: what became of the message; a failure for a\n"
    "                       passing reason is expired, with that reason as its cause\n"
    "  --rules FILE         default: classify.rules, else the built-in rules\n"
    "  --providers FILE     default: classify.providers, else none but the built-in ones\n"
    "  -c, --config FILE    the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n";

struct classify {
    struct settings settings;
    struct rule_set *rules;
    struct rule_scratch *scratch;
    struct dsnd_str text;
    struct report_recipient given; /* what the options say */
    const char *config;
    const char *rules_file;
    const char *providers_file;
};

static void name_member(struct json_out *json, const char *name, const char *value)
{
    json_out_name(json, name);
    json_out_str(json, dsnd_str_of(value));
}

static void str_member(struct json_out *json, const char *name, struct dsnd_str value)
{
    json_out_name(json, name);
    json_out_str(json, value);
}

static void number_member(struct json_out *json, const char *name, uint32_t value)
{
    json_out_name(json, name);
    if (value)
        json_out_int(json, value);
    else
        json_out_null(json);
}

static void status_member(struct json_out *json, const char *name, struct report_status status)
{
    char text[REPORT_STATUS_SIZE];

    report_status_format(status, text);
    name_member(json, name, text[0] ? text : NULL);
}

static void write_json(struct json_out *json, const struct classify *self,
                       const struct report_recipient *recipient)
{
    json_out_object(json);
    name_member(json, "class", report_class_name(recipient->klass));
    name_member(json, "cause", report_class_name(recipient->cause));
    name_member(json, "permanence", report_permanence_name(recipient->permanence));
    name_member(json, "fault", report_fault_name(recipient->fault));
    number_member(json, "smtp_code", recipient->smtp_code);
    status_member(json, "smtp_status", recipient->smtp_status);
    status_member(json, "status", recipient->status);
    str_member(json, "provider", recipient->provider);
    str_member(json, "rule", recipient->rule);
    str_member(json, "matched", recipient->matched);
    str_member(json, "blocklist", recipient->blocklist);
    number_member(json, "retry_after_s", recipient->retry_after_s);
    str_member(json, "rules", rule_set_version(self->rules));
    json_out_object_end(json);
}

static enum dsnd_err classify_one(const struct classify *self, struct dsnd_str text)
{
    struct dsnd_arena arena = DSND_ARENA_INIT(ARENA_MAX);
    struct dsnd_buf line = DSND_BUF_INIT(LINE_MAX_OCTETS);
    struct report_recipient recipient = self->given;
    struct status_reply reply = status_reply_find(text);
    struct json_out json;
    enum dsnd_err err;

    recipient.diagnostic = text;
    recipient.smtp_code = reply.code;
    recipient.smtp_status = reply.status;
    err = rules_classify(self->rules, self->scratch, REPORT_KIND_DSN, DSND_STR_ABSENT, &arena,
                         &recipient);
    if (err)
        goto out;
    json_out_init(&json, &line);
    write_json(&json, self, &recipient);
    err = json.err;
    if (!err)
        (void)printf("%.*s\n", DSND_STR_ARG(dsnd_buf_str(&line)));
out:
    dsnd_buf_done(&line);
    dsnd_arena_done(&arena);
    return err;
}

static enum dsnd_err classify_input(const struct classify *self)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    enum dsnd_err err = DSND_OK;

    while (!err && (len = getline(&text, &size, stdin)) != -1)
        err = classify_one(self, dsnd_str_trim(dsnd_str_make(text, (size_t)len)));
    free(text);
    return err;
}

static bool take_action(struct classify *self, struct dsnd_str word)
{
    static const enum report_action actions[] = {REPORT_ACTION_FAILED, REPORT_ACTION_DELAYED};

    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
        if (dsnd_str_eq(word, dsnd_str_of(report_action_name(actions[i])))) {
            self->given.action = actions[i];
            return true;
        }
    (void)fprintf(stderr, "dsnd classify: --action: failed or delayed is allowed\n");
    return false;
}

/* False after a message, or where `choice` is no option. */
static bool take_value(struct classify *self, int choice)
{
    switch (choice) {
    case 'm':
        self->given.remote_mta = dsnd_str_of(optarg);
        return true;
    case 'R':
        self->given.recipient = dsnd_str_of(optarg);
        return true;
    case 's':
        if (status_code_read(dsnd_str_of(optarg), &self->given.status))
            return true;
        (void)fprintf(stderr, "dsnd classify: --status: a code such as 4.4.7 is allowed\n");
        return false;
    case 'r':
        self->rules_file = optarg;
        return true;
    case 'p':
        self->providers_file = optarg;
        return true;
    case 'c':
        self->config = optarg;
        return true;
    case 'a':
        return take_action(self, dsnd_str_of(optarg));
    default:
        return false;
    }
}

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct classify *self)
{
    static const struct option options[] = {{"mx", required_argument, NULL, 'm'},
                                            {"recipient", required_argument, NULL, 'R'},
                                            {"status", required_argument, NULL, 's'},
                                            {"action", required_argument, NULL, 'a'},
                                            {"rules", required_argument, NULL, 'r'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"providers", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int choice;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        if (!take_value(self, choice))
            return EXIT_USAGE;
    }
    self->text = dsnd_str_of(argv[optind]);
    return arguments_one("classify", help, "TEXT", argv + optind);
}

/* -1 to go on, else the exit status. */
static int load(struct classify *self)
{
    struct config_error error;

    if (arguments_settings("classify", self->config, &self->settings))
        return EXIT_USAGE;
    if (self->rules_file &&
        arguments_override("classify", "classify", "rules", self->rules_file, &self->settings))
        return EXIT_USAGE;
    if (self->providers_file && arguments_override("classify", "classify", "providers",
                                                   self->providers_file, &self->settings))
        return EXIT_USAGE;
    if (material_rules(&self->settings, &self->rules, &error)) {
        (void)fprintf(stderr, "dsnd classify: %s\n", error.text);
        return EXIT_USAGE;
    }
    return rule_scratch_new(self->rules, &self->scratch) ? EXIT_FAILED : -1;
}

int cmd_classify(int argc, char **argv)
{
    static struct classify classify;
    enum dsnd_err err;
    int status = read_options(argc, argv, &classify);

    if (status < 0)
        status = load(&classify);
    if (status >= 0)
        goto out;
    err = dsnd_str_eq(classify.text, DSND_STR("-")) ? classify_input(&classify)
                                                    : classify_one(&classify, classify.text);
    if (err)
        (void)fprintf(stderr, "dsnd classify: %s\n", dsnd_err_text(err));
    status = !err && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
out:
    rule_scratch_free(classify.scratch);
    rule_set_free(classify.rules);
    return status;
}
