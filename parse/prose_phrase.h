/*
 * The phrases of delivery reports in prose, as data (prose.def), and the search for all of them in
 * one pass. Pure, any thread; time grows with the text alone, since the table is fixed.
 */
#ifndef DSND_PARSE_PROSE_PHRASE_H
#define DSND_PARSE_PROSE_PHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "parse/report.h"

/* What a phrase does; prose.def says it in full. */
enum prose_role {
    PROSE_SIGN,
    PROSE_OPEN,
    PROSE_NAME,
    PROSE_HINT,
    PROSE_FAIL,
    PROSE_DELAY,
    PROSE_FINAL,
    PROSE_SUCCESS,
    PROSE_CLOSE,
    PROSE_SESSION,
    PROSE_COPY,
    PROSE_SUBJECT,
    PROSE_SENDER,
    PROSE_ROLE_COUNT,
};

enum prose_weight {
    PROSE_WEAK,
    PROSE_STRONG,
};

struct prose_phrase {
    enum prose_role role;
    enum prose_weight weight;
    enum report_action action;
    struct dsnd_str text;
};

/* A phrase in a text: octets [start, end). */
struct prose_match {
    const struct prose_phrase *phrase;
    size_t start;
    size_t end;
};

/*
 * The next phrase with a role of `roles` (OR of 1u << role) at or behind `*at`, which moves behind
 * it; of several at one place the longest. A phrase begins and ends where a word does. False at the
 * end.
 */
bool prose_phrase_next(struct dsnd_str text, unsigned roles, size_t *at,
                       struct prose_match *ret_match);

/* The same at one place only; `at` is less than the text's length. */
bool prose_phrase_at(struct dsnd_str text, size_t at, unsigned roles,
                     struct prose_match *ret_match);

#endif
