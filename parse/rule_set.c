/*
 * The life of a rule set and its decisions.
 */
#include "parse/rule_set.h"

#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "builtin_rules.inc" /* generated from parse/rules/builtin.rules */
#include "parse/base32.h"
#include "parse/digest.h"
#include "parse/provider.h"

enum {
    ARENA_MAX = 1 << 25,
    HASH_CHARS = 8,
    MATCH_LIMIT = 20000,
    JIT_STACK_START = 32 * 1024,
    JIT_STACK_MAX = 256 * 1024,
    PARENTHESES_MAX = 40,
};

struct rule_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    struct rule_text text;
    struct rule_text further;
};

struct rule_text *rule_scratch_text(struct rule_scratch *scratch)
{
    return &scratch->text;
}

struct rule_text *rule_scratch_further_text(struct rule_scratch *scratch)
{
    return &scratch->further;
}

static enum dsnd_err compile_pattern(const struct rule *rule, struct rule_pattern *pattern,
                                     pcre2_compile_context *context, char *error, size_t error_size)
{
    uint32_t options = PCRE2_CASELESS | PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C;
    PCRE2_UCHAR reason[128] = "";
    PCRE2_SIZE at = 0;
    int number = 0;

    if (rule->gives == RULE_GIVES_CLASS)
        options |= PCRE2_NO_AUTO_CAPTURE;
    pattern->compiled = pcre2_compile((PCRE2_SPTR)pattern->text.ptr, pattern->text.len, options,
                                      &number, &at, context);
    if (!pattern->compiled) {
        (void)pcre2_get_error_message(number, reason, sizeof(reason));
        (void)snprintf(error, error_size, "line %u: rule %.*s: %s at octet %zu of \"%.*s\"",
                       rule->line, DSND_STR_ARG(rule->id), (const char *)reason, at,
                       DSND_STR_ARG(pattern->text));
        return DSND_ERR_SYNTAX;
    }
    (void)pcre2_jit_compile(pattern->compiled, PCRE2_JIT_COMPLETE); /* else it is only slower */
    return DSND_OK;
}

static enum dsnd_err compile_rule(struct rule_set *self, struct rule *rule,
                                  pcre2_compile_context *context, char *error, size_t error_size)
{
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < rule->pattern_count && !err; i++) {
        struct rule_pattern *pattern = &rule->patterns[i];

        err = compile_pattern(rule, pattern, context, error, error_size);
        if (!err)
            err = rule_filter_build(pattern->text, &self->arena, &pattern->filter);
    }
    return err;
}

static enum dsnd_err compile_all(struct rule_set *self, char *error, size_t error_size)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    enum dsnd_err err = DSND_OK;

    if (!context)
        return DSND_ERR_NOMEM;
    (void)pcre2_set_parens_nest_limit(context, PARENTHESES_MAX);
    for (size_t i = 0; i < self->file.count && !err; i++)
        err = compile_rule(self, &self->file.rules[i], context, error, error_size);
    pcre2_compile_context_free(context);
    return err;
}

/* What the file calls itself, and what it is. */
static enum dsnd_err name_version(struct rule_set *self, struct dsnd_str text)
{
    unsigned char digest[DIGEST_OCTETS];
    char hash[HASH_CHARS];
    struct dsnd_str said = self->file.version;
    struct dsnd_str own = provider_set_version(self->providers);

    if (digest_sha256(text, digest))
        return DSND_ERR_NOMEM;
    base32_encode(digest, HASH_CHARS, hash);
    (void)snprintf(self->version, sizeof(self->version), "%.*s%s%.*s%s%.*s", DSND_STR_ARG(said),
                   said.len ? "+" : "", HASH_CHARS, hash, own.len ? "+" : "", DSND_STR_ARG(own));
    return DSND_OK;
}

enum dsnd_err rule_set_builtin(struct rule_set **ret_set)
{
    char error[256];

    return rule_set_from_text(DSND_STR_ABSENT, error, sizeof(error), ret_set);
}

enum dsnd_err rule_set_from_text(struct dsnd_str text, char *error, size_t error_size,
                                 struct rule_set **ret_set)
{
    return rule_set_make(text, NULL, error, error_size, ret_set);
}

enum dsnd_err rule_set_make(struct dsnd_str text, struct provider_set *providers, char *error,
                            size_t error_size, struct rule_set **ret_set)
{
    struct rule_set *self = calloc(1, sizeof(*self));
    enum dsnd_err err;

    if (!self) {
        provider_set_free(providers);
        return DSND_ERR_NOMEM;
    }
    self->providers = providers;
    if (!dsnd_str_present(text))
        text = dsnd_str_make((const char *)builtin_rules, builtin_rules_len);
    self->arena = DSND_ARENA_INIT(ARENA_MAX);
    err = rule_file_read(text, providers, &self->arena, error, error_size, &self->file);
    if (!err)
        err = compile_all(self, error, error_size);
    if (!err)
        err = name_version(self, text);
    if (err) {
        rule_set_free(self);
        return err;
    }
    *ret_set = self;
    return DSND_OK;
}

void rule_set_free(struct rule_set *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < self->file.count; i++)
        for (size_t j = 0; j < self->file.rules[i].pattern_count; j++)
            pcre2_code_free(self->file.rules[i].patterns[j].compiled);
    provider_set_free(self->providers);
    dsnd_arena_done(&self->arena);
    free(self);
}

const struct provider_set *rule_set_providers(const struct rule_set *self)
{
    return self->providers;
}

struct dsnd_str rule_set_version(const struct rule_set *self)
{
    return dsnd_str_of(self->version);
}

enum dsnd_err rule_scratch_new(const struct rule_set *set, struct rule_scratch **ret_scratch)
{
    struct rule_scratch *self = calloc(1, sizeof(*self));

    (void)set;
    if (!self)
        return DSND_ERR_NOMEM;
    self->data = pcre2_match_data_create(RULE_SPANS, NULL);
    self->context = pcre2_match_context_create(NULL);
    self->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
    if (!self->data || !self->context) {
        rule_scratch_free(self);
        return DSND_ERR_NOMEM;
    }
    (void)pcre2_set_match_limit(self->context, MATCH_LIMIT);
    (void)pcre2_set_depth_limit(self->context, MATCH_LIMIT);
    if (self->stack) /* absent where PCRE2 was built without JIT */
        pcre2_jit_stack_assign(self->context, NULL, self->stack);
    *ret_scratch = self;
    return DSND_OK;
}

void rule_scratch_free(struct rule_scratch *self)
{
    if (!self)
        return;
    pcre2_match_data_free(self->data);
    pcre2_match_context_free(self->context);
    pcre2_jit_stack_free(self->stack);
    free(self);
}

static bool fits_code(const struct rule *rule, uint16_t code)
{
    for (size_t i = 0; i < rule->code_count; i++)
        if (code >= rule->codes[i].low && code <= rule->codes[i].high)
            return true;
    return rule->code_count == 0;
}

static bool fits_part(uint16_t pattern, uint16_t part)
{
    return pattern == RULE_ANY || pattern == part;
}

static bool fits_status(const struct report_status *patterns, size_t count,
                        struct report_status status)
{
    for (size_t i = 0; i < count; i++)
        if (status.klass && fits_part(patterns[i].klass, status.klass) &&
            fits_part(patterns[i].subject, status.subject) &&
            fits_part(patterns[i].detail, status.detail))
            return true;
    return count == 0;
}

static bool fits_provider(const struct rule *rule, size_t provider)
{
    for (size_t i = 0; i < rule->provider_count; i++)
        if (rule->providers[i] == provider)
            return true;
    return rule->provider_count == 0;
}

static bool is_skipped(const struct rule *rule, unsigned skip)
{
    return ((skip & RULE_SKIP_EXPIRED) && rule->klass == REPORT_CLASS_EXPIRED) ||
           ((skip & RULE_SKIP_WEAK) && rule->is_weak) ||
           ((skip & RULE_SKIP_WITHOUT_TEXT) && rule->pattern_count == 0);
}

/* A text that needs more than the match limit does not match. */
static bool fits_pattern(const struct rule_pattern *pattern, struct rule_scratch *scratch,
                         const struct rule_text *text, struct rule_span span[RULE_SPANS])
{
    const PCRE2_SIZE *found;
    int count;

    if (!rule_filter_passes(&pattern->filter, text))
        return false;
    count = pcre2_match(pattern->compiled, (PCRE2_SPTR)text->lower, text->len, 0, 0, scratch->data,
                        scratch->context);
    if (count < 0)
        return false;
    found = pcre2_get_ovector_pointer(scratch->data);
    for (int i = 0; i < RULE_SPANS; i++) {
        size_t from = found[2 * i];
        size_t to = found[2 * i + 1];

        if ((count == 0 || i < count) && from != PCRE2_UNSET && from <= to)
            span[i] = (struct rule_span){from, to};
    }
    return true;
}

static bool fits_text(const struct rule *rule, struct rule_scratch *scratch,
                      const struct rule_text *text, struct rule_span span[RULE_SPANS])
{
    for (size_t i = 0; i < rule->pattern_count; i++)
        if (fits_pattern(&rule->patterns[i], scratch, text, span))
            return true;
    return rule->pattern_count == 0;
}

void rule_set_decide(const struct rule_set *set, struct rule_scratch *scratch,
                     const struct rule_input *input, enum rule_gives gives, unsigned skip,
                     struct rule_decision *ret_decision)
{
    struct rule_decision decision = {.rule = NULL};

    for (size_t i = 0; i < set->file.count && !decision.rule; i++) {
        const struct rule *rule = &set->file.rules[i];

        if (rule->gives == gives && !is_skipped(rule, skip) && fits_code(rule, input->code) &&
            fits_provider(rule, input->provider) &&
            fits_status(rule->statuses, rule->status_count, input->status) &&
            fits_status(rule->reported, rule->reported_count, input->reported) &&
            fits_text(rule, scratch, input->text, decision.span))
            decision.rule = rule;
    }
    *ret_decision = decision;
}

struct report_status rule_effective_status(struct report_status remote,
                                           struct report_status reported)
{
    bool says_something = remote.klass && (remote.subject || remote.detail);

    return says_something || !reported.klass ? remote : reported;
}
