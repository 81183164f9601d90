/*
 * One classification rule in memory, and the reader of the file they come from. The format is
 * described at the top of parse/rules/builtin.rules. Immutable after reading.
 */
#ifndef DSND_PARSE_RULE_H
#define DSND_PARSE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/report.h"
#include "parse/rule_filter.h"

enum {
    RULES_MAX = 4096,
    RULE_CODES_MAX = 8,
    RULE_STATUSES_MAX = 12,
    RULE_PROVIDERS_MAX = 8,
    RULE_TESTS_MAX = 64,
    RULE_PATTERNS_MAX = 128,
    RULE_PATTERN_MAX = 2048, /* octets */
    RULE_FILE_MAX = 1 << 22, /* octets */
};

/* What a matching rule decides. */
enum rule_gives {
    RULE_GIVES_CLASS,
    RULE_GIVES_RETRY_AFTER, /* group 1 of the pattern is a number, group 2 its unit */
    RULE_GIVES_BLOCKLIST,   /* group 1 of the pattern, or `name`, names a blocklist */
};

/* "x.2.1", "5.7.*"; in a member RULE_ANY stands for the wildcard. */
enum { RULE_ANY = UINT16_MAX };

/* Reply codes `low` to `high`: "550" or "55x". */
struct rule_codes {
    uint16_t low;
    uint16_t high;
};

struct rule_pattern {
    struct dsnd_str text;
    struct rule_filter filter;
    void *compiled; /* pcre2_code, owned by the rule set */
};

struct rule_test {
    struct dsnd_str text;
    struct report_status reported; /* the Status field beside the text */
    uint32_t retry_after_s;        /* what the text must give */
    struct dsnd_str blocklist;     /* the same; absent: is not asked for */
    unsigned line;
};

struct rule {
    struct dsnd_str id;
    unsigned line; /* of the file */
    enum rule_gives gives;
    enum report_class klass;
    enum report_fault fault; /* NONE: that of the class */
    bool has_fault;
    bool is_final; /* nobody tries again, whatever the code says */
    bool is_weak;  /* further text of the report may say more */
    uint16_t providers[RULE_PROVIDERS_MAX];
    size_t provider_count;
    struct rule_codes codes[RULE_CODES_MAX];
    size_t code_count;
    struct report_status statuses[RULE_STATUSES_MAX]; /* against the remote's own, else Status */
    size_t status_count;
    struct report_status reported[RULE_STATUSES_MAX]; /* against Status */
    size_t reported_count;
    struct dsnd_str name;          /* of a blocklist */
    struct rule_pattern *patterns; /* one of them must match; none: codes alone decide */
    size_t pattern_count;
    struct rule_test *tests;
    size_t test_count;
};

struct provider_set;

struct rule_file {
    struct dsnd_str version; /* as the file says */
    struct rule *rules;
    size_t count;
};

/*
 * Read a whole file. All of it lives in `arena` and borrows nothing from `text`; patterns are not
 * compiled. DSND_ERR_SYNTAX or DSND_ERR_LIMIT: `error` says the line and what is allowed.
 */
DSND_MUST_CHECK
enum dsnd_err rule_file_read(struct dsnd_str text, const struct provider_set *providers,
                             struct dsnd_arena *arena, char *error, size_t error_size,
                             struct rule_file *ret_file);

#endif
