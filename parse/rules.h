/*
 * Classification by rules as data: an ordered file compiled into the binary, or the operator's own.
 * The first rule that matches decides. Order of decision and classes: see the table of classes in
 * README.md. Matching is PCRE2 with JIT and match limits over at most 4 KiB of text.
 *
 * A rule set is immutable after loading and may be shared by threads; each thread matches with its
 * own `struct rule_scratch`.
 */
#ifndef DSND_PARSE_RULES_H
#define DSND_PARSE_RULES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/report.h"

struct provider_set; /* parse/provider.h */
struct rule_set;
struct rule_scratch;

/* The rules compiled into the program. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err rule_set_builtin(struct rule_set **ret_set);
/*
 * Rules from text in the rules format. DSND_ERR_SYNTAX with a message that names the line and what
 * is allowed in `error` (of `error_size` octets).
 */
DSND_MUST_CHECK
enum dsnd_err rule_set_from_text(struct dsnd_str text, char *error, size_t error_size,
                                 struct rule_set **ret_set);
/*
 * The same with the operator's own providers, which the set takes over, also where it fails; NULL
 * for none. Absent text: the rules compiled into the program.
 */
DSND_MUST_CHECK
enum dsnd_err rule_set_make(struct dsnd_str text, struct provider_set *providers, char *error,
                            size_t error_size, struct rule_set **ret_set);
void rule_set_free(struct rule_set *self);

/* The operator's own providers that belong to it, borrowed; NULL: those built in. */
const struct provider_set *rule_set_providers(const struct rule_set *self);
/* The rule set's version, stored with each record; borrowed from the set. */
struct dsnd_str rule_set_version(const struct rule_set *self);

DSND_MUST_CHECK
enum dsnd_err rule_scratch_new(const struct rule_set *set, struct rule_scratch **ret_scratch);
void rule_scratch_free(struct rule_scratch *self);

/*
 * Try the test texts of every rule. A rule without a test, or one whose test another rule decides
 * or none does, is a problem, and so is a rule that no test of its own reaches: a line each is
 * appended to `problems`, their number is
 * `*ret_count`. DSND_ERR_NOMEM, DSND_ERR_LIMIT: `problems` is full.
 */
DSND_MUST_CHECK
enum dsnd_err rule_set_check(const struct rule_set *set, struct dsnd_buf *problems,
                             size_t *ret_count);

/* What can be listed of one rule; borrowed from the set. */
struct rule_info {
    struct dsnd_str id;
    unsigned line;            /* of the rules file */
    enum report_class klass;  /* NONE: it gives something else than a class */
    struct dsnd_str provider; /* the first it is for; absent: any */
    size_t pattern_count;     /* 0: codes alone decide */
    size_t test_count;
    bool is_weak; /* any rule that reads more of the report goes before it */
};

size_t rule_set_count(const struct rule_set *set);
/* `index` below rule_set_count(). */
struct rule_info rule_set_info(const struct rule_set *set, size_t index);
/*
 * Pattern number `pattern` of a rule. It is filtered where a literal is looked for before the
 * pattern is tried; others cost time on every text.
 */
struct dsnd_str rule_set_pattern(const struct rule_set *set, size_t index, size_t pattern,
                                 bool *ret_is_filtered);

/*
 * Decide class, cause, permanence, fault, provider, rule, matched, blocklist and retry_after_s of
 * `recipient` from its other members. Views are copied into `arena`. `subject_text` is further text
 * of the report where the recipient's own diagnostic says nothing; may be absent.
 *
 * A failure for a passing reason is EXPIRED and its `cause` is the class of the reason; `rule` and
 * `matched` then explain the cause. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err rules_classify(const struct rule_set *set, struct rule_scratch *scratch,
                             enum report_kind kind, struct dsnd_str subject_text,
                             struct dsnd_arena *arena, struct report_recipient *recipient);

#endif
