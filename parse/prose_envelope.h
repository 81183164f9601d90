/*
 * What the headers of a message say of it as a delivery report in prose, and whether headers and
 * phrases together prove one. One thread.
 */
#ifndef DSND_PARSE_PROSE_ENVELOPE_H
#define DSND_PARSE_PROSE_ENVELOPE_H

#include <stdbool.h>

#include "parse/draft.h"
#include "parse/mime.h"
#include "parse/prose_reader.h"

struct prose_envelope {
    bool is_subject;        /* of a delivery report */
    bool is_sender;         /* a program that sends them, or nobody */
    bool is_role;           /* postmaster@, who may be a person */
    bool is_null;           /* Return-Path says that nobody is to be answered */
    bool is_answer;         /* "Re: ..." */
    bool is_personal;       /* a person, a list or an automatic reply, which may quote reports;
                               "Fwd: ..." to another domain and person, by somebody */
    struct dsnd_str failed; /* X-Failed-Recipients; may be absent */
    struct dsnd_str own;    /* address the message was sent to; may be absent */
    bool returns_report;    /* the returned message is a delivery report itself */
};

/* Needs the report's `subject`; borrows from the message. */
struct prose_envelope prose_envelope_read(const struct draft *draft,
                                          const struct mime_message *mime);

/* Is the part a report? Phrases alone are proof where only a program writes them. */
bool prose_envelope_is_report(const struct prose_envelope *self, const struct prose_reader *reader);

/* What names nobody must at least say that delivery failed. */
bool prose_envelope_says_failure(const struct prose_envelope *self,
                                 const struct prose_reader *reader);

#endif
