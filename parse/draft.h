/*
 * A report in the making: what the readers of single parts fill in. Errors stick: after the arena's
 * cap was met every call does nothing, and parser_run says so once, at the end. One thread.
 */
#ifndef DSND_PARSE_DRAFT_H
#define DSND_PARSE_DRAFT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/parse.h"
#include "parse/report.h"

struct draft {
    const struct parse_limits *limits;
    struct dsnd_arena *arena;
    struct report *report;
    size_t capacity;        /* recipients allocated */
    enum dsnd_err err;      /* the first error, or DSND_OK */
    struct dsnd_str prose;  /* further text of the report, for its classification; may be absent */
    struct dsnd_str copy;   /* the returned message as it stands below the prose; may be absent */
    struct dsnd_buf *trace; /* notes for a person; NULL: none are taken */
};

/* An empty report. All pointers are borrowed. */
void draft_init(struct draft *self, const struct parse_limits *limits, struct dsnd_arena *arena,
                struct report *report, struct dsnd_buf *trace);

void draft_warn(struct draft *self, enum report_warning warning);

/*
 * A new recipient with nothing in it; NULL beyond the limit (counted in recipients_dropped) or
 * after an error. The pointer holds until the next call.
 */
struct report_recipient *draft_add(struct draft *self);

/* Zeroed memory of the arena; NULL, and the error sticks, at its cap. */
void *draft_alloc(struct draft *self, size_t count, size_t size);
/* `s` unfolded, cut at `max` octets with a warning. */
struct dsnd_str draft_text(struct draft *self, struct dsnd_str s, size_t max);
/* `a` and `b` with one space between, either may be absent; cut as draft_text. */
struct dsnd_str draft_join(struct draft *self, struct dsnd_str a, struct dsnd_str b, size_t max);

/* A line for `dsnd explain`; costs nothing where no trace is taken. */
DSND_PRINTF(2, 3)
void draft_note(struct draft *self, const char *format, ...);

#endif
