#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/material.h"

enum { PROBLEMS_MAX = 1 << 22 };

static const char help[] =
    "usage: dsnd rules check [FILE]\n"
    "       dsnd rules list [FILE]\n\n"
    "check tries the test texts of every rule and names each rule that has none, that none of\n"
    "its tests reaches, or whose test another rule decides; it ends with 1 where there is one.\n"
    "list prints id, class, provider and patterns in the order of decision, and marks those\n"
    "that are tried on every text for want of a literal. Without FILE they take classify.rules, "
    "else the built-in rules.\n\n"
    "  -c, --config FILE    the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n";

static int check(const struct rule_set *rules)
{
    struct dsnd_buf problems = DSND_BUF_INIT(PROBLEMS_MAX);
    size_t count = 0;
    enum dsnd_err err = rule_set_check(rules, &problems, &count);

    if (err)
        (void)fprintf(stderr, "dsnd rules: %s\n", dsnd_err_text(err));
    else
        (void)printf("%.*s%.*s: %zu rules, %zu problem%s\n", DSND_STR_ARG(dsnd_buf_str(&problems)),
                     DSND_STR_ARG(rule_set_version(rules)), rule_set_count(rules), count,
                     count == 1 ? "" : "s");
    dsnd_buf_done(&problems);
    return !err && count == 0 ? EXIT_DONE : EXIT_FAILED;
}

static void list_rule(const struct rule_set *rules, size_t index)
{
    struct rule_info info = rule_set_info(rules, index);
    const char *klass = report_class_name(info.klass);
    bool is_filtered = true;

    if (info.pattern_count == 0)
        (void)printf("%.*s\t%s\t%.*s\t\n", DSND_STR_ARG(info.id), klass ? klass : "-",
                     DSND_STR_ARG(info.provider));
    for (size_t i = 0; i < info.pattern_count; i++) {
        struct dsnd_str pattern = rule_set_pattern(rules, index, i, &is_filtered);

        (void)printf("%.*s\t%s\t%.*s\t%.*s%s\n", DSND_STR_ARG(info.id), klass ? klass : "-",
                     DSND_STR_ARG(info.provider), DSND_STR_ARG(pattern),
                     is_filtered ? "" : "\t(always tried)");
    }
}

/* A line a pattern, as they are tried; one that is tried on every text is marked. */
static int list(const struct rule_set *rules)
{
    for (size_t i = 0; i < rule_set_count(rules); i++)
        list_rule(rules, i);
    return EXIT_DONE;
}

static const struct action {
    const char *name;
    int (*run)(const struct rule_set *rules);
} actions[] = {{"check", check}, {"list", list}};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

/* The rules of `file` (NULL: those of the settings); NULL after a message. */
static struct rule_set *load(const char *config, const char *file)
{
    static struct settings settings;
    struct rule_set *rules = NULL;
    struct config_error error;

    if (arguments_settings("rules", config, &settings))
        return NULL;
    if (file && arguments_override("rules", "classify", "rules", file, &settings))
        return NULL;
    if (material_rules(&settings, &rules, &error))
        (void)fprintf(stderr, "dsnd rules: %s\n", error.text);
    return rules;
}

int cmd_rules(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
    const struct action *action;
    const char *config = NULL;
    struct rule_set *rules;
    int choice;
    int status;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        if (choice != 'c')
            return EXIT_USAGE;
        config = optarg;
    }
    action = optind < argc && argc - optind <= 2 ? find_action(argv[optind]) : NULL;
    if (!action) {
        (void)fputs(help, stderr);
        return EXIT_USAGE;
    }
    rules = load(config, argv[optind + 1]);
    if (!rules)
        return EXIT_FAILED;
    status = action->run(rules);
    rule_set_free(rules);
    return status;
}
