/*
 * What must stand in a text before a pattern can match it: literals, of which at least one has to
 * occur, looked up by their windows of four octets. It saves nearly every call of PCRE2; it may let
 * a pattern through in vain, never keep one back. Immutable after building.
 */
#ifndef DSND_PARSE_RULE_FILTER_H
#define DSND_PARSE_RULE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "parse/rule_text.h"

enum { RULE_FILTER_WINDOWS = 3 };

struct rule_literal {
    uint16_t window[RULE_FILTER_WINDOWS];
};

struct rule_filter {
    struct rule_literal *literals;
    size_t count; /* 0: the pattern must always be tried */
};

/* For a valid PCRE2 pattern matched without regard to case. Lives in `arena`. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err rule_filter_build(struct dsnd_str pattern, struct dsnd_arena *arena,
                                struct rule_filter *ret_filter);

/* False where the pattern cannot match `text`. */
bool rule_filter_passes(const struct rule_filter *self, const struct rule_text *text);

#endif
