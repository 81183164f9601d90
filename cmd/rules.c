#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/clock.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/material.h"
#include "cmd/rules_unmatched.h"

enum { PROBLEMS_MAX = 1 << 22, LINES = 50, LINES_MAX = 200000, DAYS = 7 };

static const char help[] =
    "usage: dsnd rules check [FILE]\n"
    "       dsnd rules list [FILE]\n"
    "       dsnd rules unmatched [--limit N] [--from TIME] [--to TIME] [FILE]\n\n"
    "check tries the test texts of every rule and names each rule that has none, that none of\n"
    "its tests reaches, or whose test another rule decides; it ends with 1 where there is one.\n"
    "list prints id, class, provider and patterns in the order of decision, and marks those\n"
    "that are tried on every text for want of a literal. Without FILE they take classify.rules, "
    "else the built-in rules.\n\n"
    "unmatched reads the status records of the database and lists the texts that no rule of their\n"
    "own decided (unclassified, or by a code alone), most frequent first, a line each, its fields\n"
    "separated by tabs: count, provider, first and last seen, rule, an example without addresses.\n"
    "Texts that differ in addresses and numbers only are one. Every record of the time asked for\n"
    "is read; without --from that is the last seven days.\n\n"
    "  --providers FILE     default: classify.providers, else none but the built-in ones\n"
    "  --limit N            lines at most (50)\n"
    "  --from, --to TIME    received from TIME on, before TIME (2026-11-23T10:00:00Z)\n"
    "  -c, --config FILE    the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n";

static int check(const struct rule_set *rules, const struct rules_unmatched *what)
{
    struct dsnd_buf problems = DSND_BUF_INIT(PROBLEMS_MAX);
    size_t count = 0;
    enum dsnd_err err = rule_set_check(rules, &problems, &count);

    (void)what;
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
static int list(const struct rule_set *rules, const struct rules_unmatched *what)
{
    (void)what;
    for (size_t i = 0; i < rule_set_count(rules); i++)
        list_rule(rules, i);
    return EXIT_DONE;
}

static const struct action {
    const char *name;
    int (*run)(const struct rule_set *rules, const struct rules_unmatched *what);
} actions[] = {{"check", check}, {"list", list}, {"unmatched", rules_unmatched}};

static struct settings settings;

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

/* The rules of `file` (NULL: those of the settings); NULL after a message. */
static struct rule_set *load(const char *config, const char *file, const char *providers)
{
    struct rule_set *rules = NULL;
    struct config_error error;

    if (arguments_settings("rules", config, &settings))
        return NULL;
    if (file && arguments_override("rules", "classify", "rules", file, &settings))
        return NULL;
    if (providers && arguments_override("rules", "classify", "providers", providers, &settings))
        return NULL;
    if (material_rules(&settings, &rules, &error))
        (void)fprintf(stderr, "dsnd rules: %s\n", error.text);
    return rules;
}

/* Of `unmatched`; false after a message. */
static bool read_option(int choice, const char *value, struct rules_unmatched *what)
{
    uint64_t limit = 0;

    if (choice == 'l' && !dsnd_str_to_u64(dsnd_str_of(value), LINES_MAX, &limit) && limit) {
        what->limit = (size_t)limit;
        return true;
    }
    if ((choice == 'f' || choice == 't') &&
        !timestamp_parse(dsnd_str_of(value), choice == 'f' ? &what->from_us : &what->to_us))
        return true;
    if (choice == 'l')
        (void)fprintf(stderr, "dsnd rules: --limit must be a number from 1 to %d\n", LINES_MAX);
    else if (choice == 'f' || choice == 't')
        (void)fprintf(stderr,
                      "dsnd rules: --%s must be a time with its zone, as "
                      "2026-11-23T10:00:00Z\n",
                      choice == 'f' ? "from" : "to");
    return false;
}

int cmd_rules(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"limit", required_argument, NULL, 'l'},
                                            {"providers", required_argument, NULL, 'p'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct rules_unmatched what = {.to_us = dsnd_clock_now_us(), .limit = LINES};
    const struct action *action;
    const char *config = NULL;
    const char *providers = NULL;
    struct rule_set *rules;
    int choice;
    int status;

    while ((choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        if (choice == 'c')
            config = optarg;
        else if (choice == 'p')
            providers = optarg;
        else if (!read_option(choice, optarg, &what))
            return EXIT_USAGE;
    }
    if (optind == argc)
        return arguments_wrong("rules", help, "the verb is missing: check, list or unmatched");
    action = find_action(argv[optind]);
    if (!action)
        return arguments_wrong("rules", help,
                               "\"%s\" is no verb; allowed are check, list and unmatched",
                               argv[optind]);
    if (argc - optind > 2)
        return arguments_wrong("rules", help, "unexpected argument \"%s\"; one FILE is allowed",
                               argv[optind + 2]);
    if (what.from_us >= what.to_us) {
        (void)fputs("dsnd rules: --from must be before --to\n", stderr);
        return EXIT_USAGE;
    }
    rules = load(config, argv[optind + 1], providers);
    if (!rules)
        return EXIT_FAILED;
    what.database = settings.database.url;
    if (!what.from_us)
        what.from_us = what.to_us - DAYS * DSND_US_PER_DAY;
    status = action->run(rules, &what);
    rule_set_free(rules);
    return status;
}
