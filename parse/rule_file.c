#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "parse/provider.h"
#include "parse/rule.h"

enum { ID_MAX = 64, VERSION_MAX = 64, ITEMS_AT_ONCE = 4 };

/* One walk over the file. */
struct reader {
    const struct provider_set *providers;
    struct dsnd_arena *arena;
    struct rule_file file;
    unsigned line;
    char *error;
    size_t error_size;
};

DSND_PRINTF(3, 4)
static enum dsnd_err fail(struct reader *self, enum dsnd_err err, const char *format, ...)
{
    va_list arguments;
    int len = snprintf(self->error, self->error_size, "line %u: ", self->line);

    if (len < 0 || (size_t)len >= self->error_size)
        return err;
    va_start(arguments, format);
    (void)vsnprintf(self->error + len, self->error_size - (size_t)len, format, arguments);
    va_end(arguments);
    return err;
}

static enum dsnd_err no_memory(struct reader *self)
{
    return fail(self, DSND_ERR_LIMIT, "the rules need more memory than is allowed");
}

/* The next item of a comma-separated list, trimmed; absent at the end. */
static struct dsnd_str next_item(struct dsnd_str *list)
{
    return dsnd_str_present(*list) ? dsnd_str_trim(dsnd_str_cut(list, ',')) : DSND_STR_ABSENT;
}

static enum dsnd_err read_class(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    if (report_class_from(value, &rule->klass))
        return fail(self, DSND_ERR_SYNTAX, "unknown class \"%.*s\"", DSND_STR_ARG(value));
    rule->gives = RULE_GIVES_CLASS;
    return DSND_OK;
}

static enum dsnd_err read_gives(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    if (dsnd_str_eq(value, DSND_STR("retry_after")))
        rule->gives = RULE_GIVES_RETRY_AFTER;
    else if (dsnd_str_eq(value, DSND_STR("blocklist")))
        rule->gives = RULE_GIVES_BLOCKLIST;
    else
        return fail(self, DSND_ERR_SYNTAX, "gives: retry_after or blocklist is allowed");
    return DSND_OK;
}

static enum dsnd_err read_fault(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    for (int i = REPORT_FAULT_NONE; i <= REPORT_FAULT_NETWORK; i++)
        if (dsnd_str_eq(value, dsnd_str_of(report_fault_name((enum report_fault)i)))) {
            rule->fault = (enum report_fault)i;
            rule->has_fault = true;
            return DSND_OK;
        }
    return fail(self, DSND_ERR_SYNTAX,
                "fault: recipient, message, sender, network or none is allowed");
}

static enum dsnd_err read_flag(struct reader *self, struct dsnd_str value, bool *ret_flag)
{
    if (!dsnd_str_eq(value, DSND_STR("yes")))
        return fail(self, DSND_ERR_SYNTAX, "only yes is allowed here");
    *ret_flag = true;
    return DSND_OK;
}

static enum dsnd_err read_final(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    return read_flag(self, value, &rule->is_final);
}

static enum dsnd_err read_weak(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    return read_flag(self, value, &rule->is_weak);
}

static enum dsnd_err read_provider(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    struct dsnd_str item;

    while (dsnd_str_present(item = next_item(&value))) {
        size_t index = provider_index(self->providers, item);

        if (index == provider_count(self->providers))
            return fail(self, DSND_ERR_SYNTAX, "unknown provider \"%.*s\"", DSND_STR_ARG(item));
        if (rule->provider_count == RULE_PROVIDERS_MAX)
            return fail(self, DSND_ERR_LIMIT, "more than %d providers", RULE_PROVIDERS_MAX);
        rule->providers[rule->provider_count++] = (uint16_t)index;
    }
    return DSND_OK;
}

/* "550", "55x" or "5xx". */
static bool parse_codes(struct dsnd_str s, struct rule_codes *ret_codes)
{
    unsigned low = 0;
    unsigned high = 0;

    if (s.len != 3 || s.ptr[0] < '2' || s.ptr[0] > '5')
        return false;
    for (size_t i = 0; i < 3; i++) {
        bool any = s.ptr[i] == 'x' && i > 0;

        if (!any && !dsnd_is_digit(s.ptr[i]))
            return false;
        low = low * 10 + (any ? 0 : (unsigned)(s.ptr[i] - '0'));
        high = high * 10 + (any ? 9 : (unsigned)(s.ptr[i] - '0'));
    }
    *ret_codes = (struct rule_codes){(uint16_t)low, (uint16_t)high};
    return true;
}

static enum dsnd_err read_code(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    struct dsnd_str item;

    while (dsnd_str_present(item = next_item(&value))) {
        if (rule->code_count == RULE_CODES_MAX)
            return fail(self, DSND_ERR_LIMIT, "more than %d codes", RULE_CODES_MAX);
        if (!parse_codes(item, &rule->codes[rule->code_count++]))
            return fail(self, DSND_ERR_SYNTAX, "code \"%.*s\": 550, 55x or 5xx is allowed",
                        DSND_STR_ARG(item));
    }
    return DSND_OK;
}

static bool parse_part(struct dsnd_str s, bool first, uint16_t *ret_part)
{
    uint64_t number;

    if (dsnd_str_eq(s, first ? DSND_STR("x") : DSND_STR("*"))) {
        *ret_part = RULE_ANY;
        return true;
    }
    if (dsnd_str_to_u64(s, first ? 5 : 999, &number))
        return false;
    *ret_part = (uint16_t)number;
    return true;
}

/* "5.1.1", "x.1.1" or "5.7.*". */
static bool parse_status(struct dsnd_str s, struct report_status *ret_status)
{
    return parse_part(dsnd_str_cut(&s, '.'), true, &ret_status->klass) &&
           parse_part(dsnd_str_cut(&s, '.'), false, &ret_status->subject) &&
           parse_part(s, false, &ret_status->detail);
}

static enum dsnd_err read_statuses(struct reader *self, struct dsnd_str value,
                                   struct report_status *statuses, size_t *count)
{
    struct dsnd_str item;

    while (dsnd_str_present(item = next_item(&value))) {
        if (*count == RULE_STATUSES_MAX)
            return fail(self, DSND_ERR_LIMIT, "more than %d status codes", RULE_STATUSES_MAX);
        if (!parse_status(item, &statuses[(*count)++]))
            return fail(self, DSND_ERR_SYNTAX, "status \"%.*s\": 5.1.1, x.1.1 or 5.7.* is allowed",
                        DSND_STR_ARG(item));
    }
    return DSND_OK;
}

static enum dsnd_err read_status(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    return read_statuses(self, value, rule->statuses, &rule->status_count);
}

static enum dsnd_err read_reported(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    return read_statuses(self, value, rule->reported, &rule->reported_count);
}

static enum dsnd_err read_name(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    return dsnd_arena_copy(self->arena, value, &rule->name) ? no_memory(self) : DSND_OK;
}

/*
 * Room for one more of `count` items of `size` octets: a larger copy where they fill what they
 * have. NULL: the arena is full.
 */
static void *more_items(struct reader *self, void *items, size_t count, size_t size)
{
    void *more;

    if (count % ITEMS_AT_ONCE != 0)
        return items;
    more = dsnd_arena_array(self->arena, count + ITEMS_AT_ONCE, size);
    if (more && count)
        memcpy(more, items, count * size);
    return more;
}

/* Each `match` is an alternative. */
static enum dsnd_err read_match(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    struct rule_pattern *patterns;

    if (value.len == 0)
        return fail(self, DSND_ERR_SYNTAX, "an empty pattern matches everything");
    if (value.len > RULE_PATTERN_MAX || rule->pattern_count == RULE_PATTERNS_MAX)
        return fail(self, DSND_ERR_LIMIT, "more than %d patterns, or one of more than %d octets",
                    RULE_PATTERNS_MAX, RULE_PATTERN_MAX);
    patterns = more_items(self, rule->patterns, rule->pattern_count, sizeof(*patterns));
    if (!patterns)
        return no_memory(self);
    rule->patterns = patterns;
    if (dsnd_arena_copy(self->arena, value, &patterns[rule->pattern_count].text))
        return no_memory(self);
    rule->pattern_count++;
    return DSND_OK;
}

/* What stands in brackets before a test text: "[status 4.4.7]", "[gives 300]". */
static enum dsnd_err read_condition(struct reader *self, struct rule *rule, struct dsnd_str text,
                                    struct rule_test *test)
{
    struct dsnd_str name = dsnd_str_cut(&text, ' ');
    uint64_t seconds;

    if (dsnd_str_eq(name, DSND_STR("status")) && parse_status(text, &test->reported))
        return DSND_OK;
    if (dsnd_str_eq(name, DSND_STR("gives")) && rule->gives == RULE_GIVES_BLOCKLIST)
        return dsnd_arena_copy(self->arena, text, &test->blocklist) ? no_memory(self) : DSND_OK;
    if (dsnd_str_eq(name, DSND_STR("gives")) && !dsnd_str_to_u64(text, UINT32_MAX, &seconds)) {
        test->retry_after_s = (uint32_t)seconds;
        return DSND_OK;
    }
    return fail(self, DSND_ERR_SYNTAX, "[status 4.4.7] or [gives VALUE] is allowed before a text");
}

static enum dsnd_err read_test(struct reader *self, struct rule *rule, struct dsnd_str value)
{
    struct rule_test *tests;
    struct rule_test *test;
    enum dsnd_err err;

    if (rule->test_count == RULE_TESTS_MAX)
        return fail(self, DSND_ERR_LIMIT, "more than %d tests", RULE_TESTS_MAX);
    tests = more_items(self, rule->tests, rule->test_count, sizeof(*tests));
    if (!tests)
        return no_memory(self);
    rule->tests = tests;
    test = &tests[rule->test_count++];
    memset(test, 0, sizeof(*test));
    test->line = self->line;
    if (dsnd_str_starts(value, DSND_STR("["))) {
        struct dsnd_str condition = dsnd_str_slice(value, 1, value.len);

        condition = dsnd_str_cut(&condition, ']');
        err = read_condition(self, rule, condition, test);
        if (err)
            return err;
        value = dsnd_str_trim(dsnd_str_slice(value, condition.len + 2, value.len));
    }
    return dsnd_arena_copy(self->arena, value, &test->text) ? no_memory(self) : DSND_OK;
}

static const struct key {
    struct dsnd_str name;
    enum dsnd_err (*read)(struct reader *self, struct rule *rule, struct dsnd_str value);
} keys[] = {
    {DSND_STR_INIT("class"), read_class},       {DSND_STR_INIT("gives"), read_gives},
    {DSND_STR_INIT("fault"), read_fault},       {DSND_STR_INIT("final"), read_final},
    {DSND_STR_INIT("weak"), read_weak},         {DSND_STR_INIT("provider"), read_provider},
    {DSND_STR_INIT("code"), read_code},         {DSND_STR_INIT("status"), read_status},
    {DSND_STR_INIT("reported"), read_reported}, {DSND_STR_INIT("name"), read_name},
    {DSND_STR_INIT("match"), read_match},       {DSND_STR_INIT("test"), read_test},
};

static bool is_id(struct dsnd_str id)
{
    if (id.len == 0 || id.len > ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];

        if (!dsnd_is_digit(c) && !(c >= 'a' && c <= 'z') && !strchr("-_./", c))
            return false;
    }
    return true;
}

/* "[id]" begins a rule. */
static enum dsnd_err begin_rule(struct reader *self, struct dsnd_str line)
{
    struct dsnd_str id = dsnd_str_slice(line, 1, line.len - 1);
    struct rule *rule = &self->file.rules[self->file.count];

    if (line.ptr[line.len - 1] != ']' || !is_id(id))
        return fail(self, DSND_ERR_SYNTAX,
                    "a rule begins with [id]: 1 to %d of [a-z0-9], hyphen, underscore, dot, slash",
                    ID_MAX);
    for (size_t i = 0; i < self->file.count; i++)
        if (dsnd_str_eq(self->file.rules[i].id, id))
            return fail(self, DSND_ERR_SYNTAX, "the id \"%.*s\" is used twice", DSND_STR_ARG(id));
    if (dsnd_arena_copy(self->arena, id, &rule->id))
        return no_memory(self);
    rule->line = self->line;
    self->file.count++;
    return DSND_OK;
}

/* A rule must decide something, and not everything. */
static enum dsnd_err end_rule(struct reader *self)
{
    const struct rule *rule;

    if (self->file.count == 0)
        return DSND_OK;
    rule = &self->file.rules[self->file.count - 1];
    if (rule->gives == RULE_GIVES_CLASS && rule->klass == REPORT_CLASS_NONE)
        return fail(self, DSND_ERR_SYNTAX, "rule %.*s has no class", DSND_STR_ARG(rule->id));
    if (!rule->pattern_count && !rule->code_count && !rule->status_count && !rule->reported_count)
        return fail(self, DSND_ERR_SYNTAX, "rule %.*s needs match, code, status or reported",
                    DSND_STR_ARG(rule->id));
    if (rule->gives != RULE_GIVES_CLASS && !rule->pattern_count)
        return fail(self, DSND_ERR_SYNTAX, "rule %.*s needs match", DSND_STR_ARG(rule->id));
    return DSND_OK;
}

static enum dsnd_err read_version(struct reader *self, struct dsnd_str value)
{
    if (value.len == 0 || value.len > VERSION_MAX || dsnd_str_chr(value, ' ') != SIZE_MAX)
        return fail(self, DSND_ERR_SYNTAX, "version: one word of 1 to %d octets", VERSION_MAX);
    return dsnd_arena_copy(self->arena, value, &self->file.version) ? no_memory(self) : DSND_OK;
}

static enum dsnd_err read_line(struct reader *self, struct dsnd_str line)
{
    struct dsnd_str value = line;
    struct dsnd_str name;
    enum dsnd_err err;

    if (line.ptr[0] == '[') {
        err = end_rule(self);
        return err ? err : begin_rule(self, line);
    }
    name = dsnd_str_trim(dsnd_str_cut(&value, ':'));
    value = dsnd_str_trim(value);
    if (self->file.count == 0) {
        if (!dsnd_str_eq(name, DSND_STR("version")))
            return fail(self, DSND_ERR_SYNTAX, "`version:` must come before the first [id]");
        return read_version(self, value);
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (dsnd_str_eq(keys[i].name, name) && dsnd_str_present(value))
            return keys[i].read(self, &self->file.rules[self->file.count - 1], value);
    return fail(self, DSND_ERR_SYNTAX,
                "\"%.*s\": class, gives, fault, final, weak, provider, code, status, reported, "
                "name, match or test is allowed, followed by a colon",
                DSND_STR_ARG(name));
}

static size_t count_rules(struct dsnd_str text)
{
    size_t count = 0;

    while (text.len > 0)
        count += dsnd_str_starts(dsnd_str_trim(dsnd_str_line(&text)), DSND_STR("["));
    return count;
}

enum dsnd_err rule_file_read(struct dsnd_str text, const struct provider_set *providers,
                             struct dsnd_arena *arena, char *error, size_t error_size,
                             struct rule_file *ret_file)
{
    struct reader reader = {
        .providers = providers, .arena = arena, .error = error, .error_size = error_size};
    size_t count = text.len <= RULE_FILE_MAX ? count_rules(text) : RULES_MAX + 1;
    struct dsnd_str line;
    enum dsnd_err err;

    if (count > RULES_MAX)
        return fail(&reader, DSND_ERR_LIMIT, "more than %d rules or %d octets", RULES_MAX,
                    RULE_FILE_MAX);
    reader.file.rules = dsnd_arena_array(arena, count + 1, sizeof(struct rule));
    if (!reader.file.rules)
        return no_memory(&reader);
    while (dsnd_str_present(line = dsnd_str_line(&text))) {
        reader.line++;
        line = dsnd_str_trim(line);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        err = read_line(&reader, line);
        if (err)
            return err;
    }
    err = end_rule(&reader);
    if (!err && reader.file.count == 0)
        err = fail(&reader, DSND_ERR_SYNTAX, "there is no rule");
    if (!err)
        *ret_file = reader.file;
    return err;
}
