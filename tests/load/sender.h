/*
 * Sends messages over several SMTP connections at once, each with the next message's envelope
 * behind the end of the last one (RFC 2920). One thread.
 */
#ifndef DSND_TESTS_LOAD_SENDER_H
#define DSND_TESTS_LOAD_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* A message as its source gives it; views hold until the next call of the source. */
struct sender_message {
    struct dsnd_str to;     /* forward path */
    struct dsnd_str octets; /* lines end in CR LF */
};

/* Where messages come from. `next` ends the run by a false `*ret_any`. */
struct sender_source {
    enum dsnd_err (*next)(void *context, struct sender_message *ret_message, bool *ret_any);
    void *context;
};

struct sender_options {
    const char *address; /* HOST:PORT */
    unsigned connections;
    unsigned timeout_s;   /* without any reply */
    uint32_t *latency_us; /* from the end of a message to its 250; NULL: not wanted */
    size_t latency_size;  /* places there */
};

struct sender_result {
    uint64_t accepted;
    uint64_t octets; /* of accepted messages */
    char error[256]; /* what went wrong; "" when nothing did */
};

/*
 * Send all that `source` gives. DSND_ERR_IO: a connection failed; DSND_ERR_REFUSED: a reply was not
 * the one expected; errors of the source as they are. `ret_result` is written in any case.
 */
DSND_MUST_CHECK
enum dsnd_err sender_run(const struct sender_options *options, const struct sender_source *source,
                         struct sender_result *ret_result);

#endif
