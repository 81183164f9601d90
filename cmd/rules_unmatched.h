/*
 * dsnd rules unmatched: texts of the database that no rule of their own decided, by frequency. One
 * thread, at start.
 */
#ifndef DSND_CMD_RULES_UNMATCHED_H
#define DSND_CMD_RULES_UNMATCHED_H

#include <stddef.h>
#include <stdint.h>

#include "parse/rules.h"

struct rules_unmatched {
    const char *database; /* URL */
    int64_t from_us;      /* of receipt */
    int64_t to_us;
    size_t limit; /* lines */
};

/* Print them; the exit status. */
int rules_unmatched(const struct rule_set *rules, const struct rules_unmatched *what);

#endif
