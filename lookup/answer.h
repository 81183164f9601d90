/*
 * Answers in the words of each protocol. Pure, any thread.
 */
#ifndef DSND_LOOKUP_ANSWER_H
#define DSND_LOOKUP_ANSWER_H

#include "base/buf.h"
#include "base/err.h"
#include "lookup/question.h"

enum lookup_verdict {
    LOOKUP_CLEAR,      /* not suppressed, or no address */
    LOOKUP_SUPPRESSED, /* for `cause`, since `since` */
    LOOKUP_AWAY,       /* not known now: ask again later */
    LOOKUP_REFUSED,    /* the question has no answer: `why` */
};

struct lookup_answer {
    enum lookup_verdict verdict;
    const char *why; /* a static string */
    char cause[32];  /* name of a class; "manual" when set by hand */
    char since[40];  /* RFC 3339 */
};

/* `map` in whose words; readsocket has words of its own. Errors as dsnd_buf_add. */
DSND_MUST_CHECK
enum dsnd_err lookup_answer_write(enum lookup_protocol protocol, enum lookup_map map,
                                  const struct lookup_answer *answer, struct dsnd_buf *out);

#endif
