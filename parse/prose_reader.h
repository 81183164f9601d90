/*
 * Recipients out of the prose of one delivery report: lines that name an address where the phrases
 * around them say that a recipient is named, with the text that belongs to each. One thread, linear
 * but for the recipients, whose number is limited.
 */
#ifndef DSND_PARSE_PROSE_READER_H
#define DSND_PARSE_PROSE_READER_H

#include "base/str.h"
#include "parse/draft.h"
#include "parse/prose_phrase.h"

enum { PROSE_MATCH_MAX = 128 };

struct prose_reader {
    struct draft *draft;
    struct dsnd_str prose;
    struct dsnd_str own; /* the address the report was sent to: never a recipient; may be absent */
    struct prose_match matches[PROSE_MATCH_MAX]; /* in `prose`, in order */
    size_t match_count;
    unsigned roles;  /* OR of 1u << role of the matches */
    bool is_strong;  /* a phrase proves a delivery report */
    size_t next;     /* match */
    size_t first;    /* recipient of this text */
    bool is_open;    /* in a list of recipients */
    bool is_session; /* in a transcript */
    bool is_loose;   /* a line of its own makes an address a recipient */
    size_t indent;   /* of the list's first line */
    enum report_action action;
    size_t current;          /* recipient whose text goes on, or SIZE_MAX */
    size_t rcpt;             /* of the session: recipient of the last RCPT, or SIZE_MAX */
    struct dsnd_str host;    /* of the session */
    struct dsnd_str pending; /* of the session: a reply to no RCPT, which a notice may explain */
    struct dsnd_str refusal; /* of the session: a reply or notice that names nobody */
};

/* Find the phrases of `prose`, which is borrowed. */
void prose_reader_init(struct prose_reader *self, struct draft *draft, struct dsnd_str prose,
                       struct dsnd_str own);

/*
 * Add the recipients; the number added. Their `diagnostic` borrows from the prose, raw. Run again
 * with `is_loose` set where the first run found nobody.
 */
size_t prose_reader_run(struct prose_reader *self);

/* The recipient of that address among those of this text, added where it is new; SIZE_MAX: none.
 * prose_recipient.c. */
size_t prose_reader_add(struct prose_reader *self, struct dsnd_str address);

/* A line of a transcript; prose_session.c. `line` is not trimmed. */
void prose_session_line(struct prose_reader *self, struct dsnd_str line);
/* What the whole transcript said, for recipients about whom it said nothing else. */
void prose_session_end(struct prose_reader *self);

#endif
