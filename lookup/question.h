/*
 * What a mail server asks: octets of a connection to questions, in three protocols. Pure, any
 * thread.
 *
 *   socketmap   Postfix, socketmap_table(5): the netstring "NAME KEY"; the name says what is asked
 *   tcp_table   Postfix, tcp_table(5): "get KEY" LF, blanks and controls of the key as %XX
 *   readsocket  Exim, ${readsocket}: the key on one line, which the end of the input may end
 */
#ifndef DSND_LOOKUP_QUESTION_H
#define DSND_LOOKUP_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum lookup_protocol { LOOKUP_SOCKETMAP, LOOKUP_TCP_TABLE, LOOKUP_READSOCKET };

/* In which words a suppression is told. */
enum lookup_map {
    LOOKUP_MAP_ACCESS,     /* an action of Postfix's access(5) */
    LOOKUP_MAP_TRANSPORT,  /* a transport of Postfix's transport(5) */
    LOOKUP_MAP_SUPPRESSED, /* class and time alone */
};
/* Their names, in order; NULL ends them. */
extern const char *const lookup_map_names[];

enum { LOOKUP_QUESTION_MAX = 1024 }; /* octets of a line, or of a netstring's content */

struct lookup_question {
    enum lookup_map map; /* of a socketmap only */
    size_t key_len;
    char key[LOOKUP_QUESTION_MAX];
};

enum lookup_read {
    LOOKUP_READ_MORE,     /* the question is not whole yet; `in` is as it was */
    LOOKUP_READ_QUESTION, /* one was cut off the front of `in` */
    LOOKUP_READ_REFUSED,  /* one was cut off that has no answer; `*ret_why` says why */
    LOOKUP_READ_BAD,      /* what follows cannot be read; `*ret_why` says why */
};

/* `ended`: nothing comes behind `in`. */
enum lookup_read lookup_question_read(enum lookup_protocol protocol, bool ended,
                                      struct dsnd_str *in, struct lookup_question *ret_question,
                                      const char **ret_why);

/* Whether the key can be an address; what is none, such as a bare domain, cannot be suppressed. */
bool lookup_question_is_address(const struct lookup_question *question);

#endif
