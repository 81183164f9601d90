/*
 * dsnd reclassify: stored records by other rules, or parsed anew. A command rather than a route of
 * the API, whose process does not parse.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/timestamp.h"
#include "base/clock.h"
#include "cmd/arguments.h"
#include "cmd/commands.h"
#include "cmd/material.h"
#include "parse/parse.h"
#include "parse/rules.h"
#include "store/reclassify.h"

enum { BATCH = 500, SAMPLES = 3, SAMPLE_OCTETS = 160, US_PER_MS = 1000 };

static const char help[] =
    "usage: dsnd reclassify [--rules FILE] [--from TIME] [--to TIME] [--campaign KEY]\n"
    "                       [--reparse] [--apply]\n\n"
    "Judges stored records by the rules and says what changes: records by class before and after,\n"
    "with examples, and suppressions that arise or are lifted. That is a dry run; with --apply it\n"
    "is done, in small transactions while mail comes in. Deliveries, totals, rule hits and\n"
    "suppressions are then what they were had these rules been there from the start. What people\n"
    "suppressed, lifted or have yet to decide stays. Cut off, it goes on when it is run again "
    "with\n"
    "the same options, but from the start where another run has judged the same records since. No\n"
    "webhook is told of old mail again, only of suppressions that change.\n\n"
    "Without --reparse the judgement is on what the record holds: codes, diagnostic text, and of\n"
    "other text of the message the words that matched. Erased records stay as they are.\n\n"
    "  --rules FILE       default: classify.rules, else the built-in rules\n"
    "  --from, --to TIME  reports received from TIME on, before TIME (2026-11-23T10:00:00Z)\n"
    "  --campaign KEY     reports of this campaign\n"
    "  --reparse          parse the raw message again where it is kept (retain.raw), and "
    "attribute\n"
    "                     it by what is registered now\n"
    "  --apply            do it; without it nothing is changed\n"
    "  -c, --config FILE  the configuration; else $DSND_CONF or /etc/dsnd/dsnd.conf\n\n"
    "The service should have the same rules first: what it stores meanwhile it judges by its "
    "own.\n";

struct pair {
    uint64_t count;
    struct {
        int64_t status_id;
        char text[SAMPLE_OCTETS + 1];
    } samples[SAMPLES];
};

struct reclassify {
    struct settings settings;
    struct return_path_keys keys;
    struct rule_set *rules;
    struct rule_scratch *scratch;
    struct parser *parser;
    struct store_conn *conn;
    struct store_reclassify what;
    const char *config;
    const char *rules_file;
    /* One more than there are classes: no record. */
    struct pair pairs[REPORT_CLASS_COUNT + 1][REPORT_CLASS_COUNT + 1];
    struct {
        uint64_t count;
        char who[SAMPLES][SAMPLE_OCTETS + 1];
    } suppressions[REPORT_CLASS_COUNT][REPORT_CLASS_COUNT];
};

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* ---- judging ---- */

static enum dsnd_err judge_recipient(struct reclassify *self, enum report_kind kind,
                                     struct dsnd_arena *arena, struct report_recipient *recipient)
{
    /* What matched beside the recipient's own text is all that the record has of it. */
    struct dsnd_str further = recipient->matched;

    recipient->cause = REPORT_CLASS_NONE;
    recipient->rule = DSND_STR_ABSENT;
    recipient->matched = DSND_STR_ABSENT;
    recipient->blocklist = DSND_STR_ABSENT;
    recipient->retry_after_s = 0;
    return rules_classify(self->rules, self->scratch, kind, further, arena, recipient);
}

static enum dsnd_err judge(void *context, struct dsnd_str octets, struct dsnd_arena *arena,
                           struct report *report)
{
    struct reclassify *self = context;
    enum dsnd_err err = DSND_OK;

    if (dsnd_str_present(octets))
        return parser_run(self->parser, octets, arena, report);
    for (size_t i = 0; i < report->recipient_count && !err; i++)
        err = judge_recipient(self, report->kind, arena, &report->recipients[i]);
    return err;
}

/* ---- telling ---- */

static void copy_sample(struct dsnd_str text, char dst[SAMPLE_OCTETS + 1])
{
    size_t len = text.len < SAMPLE_OCTETS ? text.len : SAMPLE_OCTETS;

    while (len < text.len && len && ((unsigned char)text.ptr[len] & 0xC0) == 0x80)
        len--;
    if (len)
        memcpy(dst, text.ptr, len);
    dst[len] = '\0';
}

static size_t index_of(const struct report_recipient *recipient)
{
    return recipient ? (size_t)recipient->klass : REPORT_CLASS_COUNT;
}

static void changed(void *context, const struct store_reclassified *change)
{
    struct reclassify *self = context;
    struct pair *pair = &self->pairs[index_of(change->before)][index_of(change->after)];
    const struct report_recipient *shown = change->after ? change->after : change->before;

    if (pair->count < SAMPLES) {
        pair->samples[pair->count].status_id = change->status_id;
        copy_sample(shown->diagnostic, pair->samples[pair->count].text);
    }
    pair->count++;
}

static void suppressed(void *context, const struct store_resuppressed *change)
{
    struct reclassify *self = context;
    uint64_t *count = &self->suppressions[change->was][change->after].count;

    if (*count < SAMPLES)
        copy_sample(change->who, self->suppressions[change->was][change->after].who[*count]);
    (*count)++;
}

static bool progress(void *context, const struct store_reclassify_counts *counts)
{
    (void)context;
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%llu reports, %llu records, %llu changed",
                      (unsigned long long)counts->reports, (unsigned long long)counts->statuses,
                      (unsigned long long)counts->changed);
    return !stopped;
}

static const char *class_name(size_t klass)
{
    const char *name =
        klass < REPORT_CLASS_COUNT ? report_class_name((enum report_class)klass) : "(no record)";

    return name ? name : "(delivered)";
}

static void print_pair(size_t from, size_t to, const struct pair *pair)
{
    (void)printf("%12llu  %s -> %s%s\n", (unsigned long long)pair->count, class_name(from),
                 class_name(to), from == to ? " (details only)" : "");
    for (size_t i = 0; i < SAMPLES && i < pair->count; i++)
        (void)printf("              %lld %s\n", (long long)pair->samples[i].status_id,
                     pair->samples[i].text);
}

static void print_suppression(const struct reclassify *self, size_t was, size_t after)
{
    uint64_t count = self->suppressions[was][after].count;

    (void)printf("%12llu  ", (unsigned long long)count);
    if (was == 0)
        (void)printf("suppressed: %s\n", class_name(after));
    else if (after == 0)
        (void)printf("lifted: %s\n", class_name(was));
    else
        (void)printf("stay suppressed: %s -> %s\n", class_name(was), class_name(after));
    for (size_t i = 0; i < SAMPLES && i < count; i++)
        (void)printf("              %s\n", self->suppressions[was][after].who[i]);
}

static void print_outcome(const struct reclassify *self,
                          const struct store_reclassify_counts *counts)
{

    for (size_t from = 0; from <= REPORT_CLASS_COUNT; from++)
        for (size_t to = 0; to <= REPORT_CLASS_COUNT; to++)
            if (self->pairs[from][to].count)
                print_pair(from, to, &self->pairs[from][to]);
    for (size_t was = 0; was < REPORT_CLASS_COUNT; was++)
        for (size_t after = 0; after < REPORT_CLASS_COUNT; after++)
            if (self->suppressions[was][after].count)
                print_suppression(self, was, after);
    if (counts->resumed)
        (void)printf("went on with a run that was cut off: the numbers of the line below hold what "
                     "it had done, those above do not\n");
    (void)printf(self->what.apply ? "rules %.*s: %llu reports, %llu records; %llu changed, %llu "
                                    "suppressions arose, %llu were lifted\n"
                                  : "dry run, rules %.*s: %llu reports, %llu records; %llu would "
                                    "change, %llu suppressions would arise, %llu would be lifted\n",
                 DSND_STR_ARG(rule_set_version(self->rules)), (unsigned long long)counts->reports,
                 (unsigned long long)counts->statuses, (unsigned long long)counts->changed,
                 (unsigned long long)counts->added, (unsigned long long)counts->lifted);
}

/* ---- arguments ---- */

static bool read_time(const char *name, const char *text, int64_t *ret_us)
{
    if (timestamp_parse(dsnd_str_of(text), ret_us) == DSND_OK)
        return true;
    (void)fprintf(stderr,
                  "dsnd reclassify: %s must be a time with its zone, as 2026-11-23T10:00:00Z\n",
                  name);
    return false;
}

/* -1 to go on, else the exit status. */
static int read_options(struct reclassify *self, int argc, char **argv)
{
    static const struct option options[] = {{"rules", required_argument, NULL, 'r'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"to", required_argument, NULL, 't'},
                                            {"campaign", required_argument, NULL, 'k'},
                                            {"reparse", no_argument, NULL, 'p'},
                                            {"apply", no_argument, NULL, 'a'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    bool good = true;
    int choice;

    while (good && (choice = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (choice == 'h') {
            (void)fputs(help, stdout);
            return EXIT_DONE;
        }
        if (choice == 'r')
            self->rules_file = optarg;
        else if (choice == 'f')
            good = read_time("--from", optarg, &self->what.from_us);
        else if (choice == 't')
            good = read_time("--to", optarg, &self->what.to_us);
        else if (choice == 'k')
            self->what.campaign = dsnd_str_of(optarg);
        else if (choice == 'p')
            self->what.reparse = true;
        else if (choice == 'a')
            self->what.apply = true;
        else if (choice == 'c')
            self->config = optarg;
        else
            good = false;
    }
    if (good && optind < argc)
        return arguments_wrong("reclassify", help,
                               "unexpected argument \"%s\"; options are allowed", argv[optind]);
    if (good && self->what.to_us && self->what.from_us >= self->what.to_us) {
        (void)fputs("dsnd reclassify: --from must be before --to\n", stderr);
        good = false;
    }
    if (!good || arguments_settings("reclassify", self->config, &self->settings))
        return EXIT_USAGE;
    if (self->rules_file &&
        arguments_override("reclassify", "classify", "rules", self->rules_file, &self->settings))
        return EXIT_USAGE;
    return -1;
}

/* -1 to go on, else the exit status. */
static int load(struct reclassify *self)
{
    struct config_error error = {""};
    enum dsnd_err err = material_keys(&self->settings, &self->keys, &error);

    if (!err)
        err = material_rules(&self->settings, &self->rules, &error);
    if (err) {
        (void)fprintf(stderr, "dsnd reclassify: %s\n", error.text);
        return EXIT_USAGE;
    }
    err = parser_new(&parse_limits_default, self->rules,
                     dsnd_str_of(self->settings.classify.campaign_headers), &self->parser);
    if (!err)
        err = rule_scratch_new(self->rules, &self->scratch);
    if (!err)
        err = store_connect(self->settings.database.url, "dsnd reclassify", &self->conn);
    if (!err)
        return -1;
    (void)fprintf(stderr, "dsnd reclassify: %s %s\n", dsnd_err_text(err),
                  self->conn ? store_conn_error(self->conn) : "");
    return EXIT_FAILED;
}

static const char *words(const struct reclassify *self, enum dsnd_err err)
{
    if (err == DSND_ERR_CONFLICT)
        return "another dsnd reclassify is at work on this database";
    if (err == DSND_ERR_NOT_FOUND)
        return "there is no such campaign";
    if (stopped)
        return "ended by a signal; run it again with the same options to go on";
    return store_conn_error(self->conn);
}

static int run(struct reclassify *self)
{
    const struct store_policy policy = {
        .rules_version = rule_set_version(self->rules),
        .providers = rule_set_providers(self->rules),
        .keys = &self->keys,
        .min_evidence = (enum store_evidence)self->settings.counts.min_evidence,
        .return_path_max_age_us = (int64_t)self->settings.sign.max_age * US_PER_MS,
    };
    struct store_reclassify_counts counts = {0};
    enum dsnd_err err;

    self->what.program = DSND_STR(DSND_VERSION);
    self->what.batch = BATCH;
    self->what.context = self;
    self->what.judge = judge;
    self->what.changed = changed;
    self->what.suppressed = suppressed;
    self->what.progress = progress;
    (void)signal(SIGINT, stop);
    (void)signal(SIGTERM, stop);
    err = store_reclassify(self->conn, &policy, &self->what, &counts);
    if (isatty(STDERR_FILENO))
        (void)fputc('\n', stderr);
    if (err) {
        (void)fprintf(stderr, "dsnd reclassify: %s\n", words(self, err));
        return EXIT_FAILED;
    }
    print_outcome(self, &counts);
    return EXIT_DONE;
}

int cmd_reclassify(int argc, char **argv)
{
    static struct reclassify self;
    int status = read_options(&self, argc, argv);

    if (status < 0)
        status = load(&self);
    if (status < 0)
        status = run(&self);
    explicit_bzero(&self.keys, sizeof(self.keys));
    store_conn_free(self.conn);
    rule_scratch_free(self.scratch);
    parser_free(self.parser);
    rule_set_free(self.rules);
    return status;
}
