/*
 * Inside of a rule set: what classification and the check of rules share. Not for other modules.
 */
#ifndef DSND_PARSE_RULE_SET_H
#define DSND_PARSE_RULE_SET_H

#include "base/arena.h"
#include "parse/report.h"
#include "parse/rule.h"
#include "parse/rule_text.h"
#include "parse/rules.h"

enum { RULE_VERSION_SIZE = 96, RULE_SPANS = 3 };

struct rule_set {
    struct dsnd_arena arena;
    struct provider_set *providers; /* owned; NULL: those built in */
    struct rule_file file;
    char version[RULE_VERSION_SIZE];
};

/* Octets [from, to) of a text; from == to where a group took no part. */
struct rule_span {
    size_t from;
    size_t to;
};

/* What rules see of one recipient. */
struct rule_input {
    const struct rule_text *text;
    size_t provider;               /* provider_count() of the set: none */
    uint16_t code;                 /* 0: none */
    struct report_status status;   /* the remote's own, else Status */
    struct report_status reported; /* Status */
};

/* Rules that are left out of a decision. */
enum {
    RULE_SKIP_EXPIRED = 1 << 0,
    RULE_SKIP_WEAK = 1 << 1,
    RULE_SKIP_WITHOUT_TEXT = 1 << 2, /* those that codes alone decide */
};

struct rule_decision {
    const struct rule *rule;           /* NULL: none matches */
    struct rule_span span[RULE_SPANS]; /* the match and its groups 1 and 2; in `text` */
};

/* The first rule of the set that gives `gives` for this input. */
void rule_set_decide(const struct rule_set *set, struct rule_scratch *scratch,
                     const struct rule_input *input, enum rule_gives gives, unsigned skip,
                     struct rule_decision *ret_decision);

/* The scratch's buffers: for the recipient's own text and for further text of the report. */
struct rule_text *rule_scratch_text(struct rule_scratch *scratch);
struct rule_text *rule_scratch_further_text(struct rule_scratch *scratch);

/* The remote's own status where it says something, else Status. */
struct report_status rule_effective_status(struct report_status remote,
                                           struct report_status reported);

/* Seconds that the text asks for, from the groups of a RETRY_AFTER decision. */
uint32_t rule_retry_after(const struct rule_text *text, const struct rule_decision *decision);
/* The name of a blocklist from a BLOCKLIST decision; borrows from rule or text. */
struct dsnd_str rule_blocklist(const struct rule_text *text, const struct rule_decision *decision);

#endif
