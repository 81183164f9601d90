/*
 * The check of a rule set: every test text of a rule must be decided by that rule.
 */
#include "parse/provider.h"
#include "parse/rule_set.h"
#include "parse/rules.h"
#include "parse/status_code.h"

struct check {
    const struct rule_set *set;
    struct rule_scratch *scratch;
    struct dsnd_buf *problems;
    size_t count;
};

/* The decision on a test text as on a diagnostic, from a host of the rule's first provider. */
static struct rule_decision decide_test(struct check *self, const struct rule *rule,
                                        const struct rule_test *test)
{
    struct rule_text *text = rule_scratch_text(self->scratch);
    struct status_reply reply = status_reply_find(test->text);
    struct rule_decision decision;
    struct rule_input input = {
        .text = text,
        .provider =
            rule->provider_count ? rule->providers[0] : provider_count(self->set->providers),
        .code = reply.code,
        .status = rule_effective_status(reply.status, test->reported),
        .reported = test->reported,
    };

    rule_text_set(text, test->text);
    rule_set_decide(self->set, self->scratch, &input, rule->gives, 0, &decision);
    return decision;
}

static enum dsnd_err wrong_rule(struct check *self, const struct rule *rule,
                                const struct rule_test *test, const struct rule *other)
{
    self->count++;
    if (!other)
        return dsnd_buf_addf(self->problems, "line %u: [%.*s] no rule matches this test\n",
                             test->line, DSND_STR_ARG(rule->id));
    return dsnd_buf_addf(self->problems,
                         "line %u: [%.*s] this test is decided by [%.*s] of line %u\n", test->line,
                         DSND_STR_ARG(rule->id), DSND_STR_ARG(other->id), other->line);
}

static enum dsnd_err check_value(struct check *self, const struct rule *rule,
                                 const struct rule_test *test, const struct rule_decision *decision)
{
    const struct rule_text *text = rule_scratch_text(self->scratch);

    if (rule->gives == RULE_GIVES_RETRY_AFTER) {
        uint32_t seconds = rule_retry_after(text, decision);

        if (seconds == test->retry_after_s)
            return DSND_OK;
        self->count++;
        return dsnd_buf_addf(self->problems, "line %u: [%.*s] gives %u seconds\n", test->line,
                             DSND_STR_ARG(rule->id), (unsigned)seconds);
    }
    if (rule->gives == RULE_GIVES_BLOCKLIST) {
        struct dsnd_str name = rule_blocklist(text, decision);

        if (dsnd_str_eq(name, test->blocklist))
            return DSND_OK;
        self->count++;
        return dsnd_buf_addf(self->problems, "line %u: [%.*s] gives \"%.*s\"\n", test->line,
                             DSND_STR_ARG(rule->id), DSND_STR_ARG(name));
    }
    return DSND_OK;
}

static enum dsnd_err check_rule(struct check *self, const struct rule *rule)
{
    enum dsnd_err err = DSND_OK;
    size_t taken = 0; /* tests that rules before this one decide */

    if (rule->test_count == 0) {
        self->count++;
        return dsnd_buf_addf(self->problems, "line %u: [%.*s] has no test\n", rule->line,
                             DSND_STR_ARG(rule->id));
    }
    for (size_t i = 0; i < rule->test_count && !err; i++) {
        struct rule_decision decision = decide_test(self, rule, &rule->tests[i]);

        err = decision.rule == rule ? check_value(self, rule, &rule->tests[i], &decision)
                                    : wrong_rule(self, rule, &rule->tests[i], decision.rule);
        taken += decision.rule && decision.rule->line < rule->line;
    }
    if (err || taken < rule->test_count)
        return err;
    self->count++;
    return dsnd_buf_addf(self->problems,
                         "line %u: [%.*s] is unreachable: rules before it decide all its tests\n",
                         rule->line, DSND_STR_ARG(rule->id));
}

enum dsnd_err rule_set_check(const struct rule_set *set, struct dsnd_buf *problems,
                             size_t *ret_count)
{
    struct check check = {.set = set, .problems = problems};
    enum dsnd_err err = rule_scratch_new(set, &check.scratch);

    if (err)
        return err;
    for (size_t i = 0; i < set->file.count && !err; i++)
        err = check_rule(&check, &set->file.rules[i]);
    rule_scratch_free(check.scratch);
    if (!err)
        *ret_count = check.count;
    return err;
}

size_t rule_set_count(const struct rule_set *set)
{
    return set->file.count;
}

struct rule_info rule_set_info(const struct rule_set *set, size_t index)
{
    const struct rule *rule = &set->file.rules[index];
    struct rule_info info = {
        .id = rule->id,
        .line = rule->line,
        .klass = rule->gives == RULE_GIVES_CLASS ? rule->klass : REPORT_CLASS_NONE,
        .pattern_count = rule->pattern_count,
        .test_count = rule->test_count,
        .is_weak = rule->is_weak,
    };

    if (rule->provider_count)
        info.provider = provider_name(set->providers, rule->providers[0]);
    return info;
}

struct dsnd_str rule_set_pattern(const struct rule_set *set, size_t index, size_t pattern,
                                 bool *ret_is_filtered)
{
    const struct rule_pattern *found = &set->file.rules[index].patterns[pattern];

    *ret_is_filtered = found->filter.count > 0;
    return found->text;
}
