/*
 * The listener for mail servers: connections, their deadlines, and questions in order. It keeps no
 * answer: each question is asked anew, so a suppression holds as soon as it is stored.
 */
#ifndef DSND_LOOKUP_SERVER_H
#define DSND_LOOKUP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "lookup/question.h"

struct lookup_answer;
struct lookup_server;

/* Where suppressions are known; asked by several threads at once. */
struct lookup_backend {
    /* One answer an address, in their order. On an error none is read: all are LOOKUP_AWAY. */
    enum dsnd_err (*check)(void *cls, const struct dsnd_str *addresses, size_t count,
                           struct lookup_answer *ret_answers);
    void *cls;
};

struct lookup_settings {
    struct lookup_backend backend;
    unsigned threads;              /* that ask it, 1..64 */
    size_t max_connections;        /* above them the longest idle is closed */
    unsigned idle_ms;              /* from one whole question to the next */
    unsigned timeout_ms;           /* then a question is LOOKUP_AWAY */
    bool accept_when_away;         /* say LOOKUP_CLEAR where it is LOOKUP_AWAY */
    enum lookup_map tcp_table_map; /* what a tcp_table, which has no name, answers */
};

/* Starts nothing yet. DSND_ERR_NOMEM, DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err lookup_server_new(const struct lookup_settings *settings,
                                struct lookup_server **ret_server);
/* Serve a listening, non-blocking socket, which is taken over, also on errors. At most 32. */
DSND_MUST_CHECK
enum dsnd_err lookup_server_listen(struct lookup_server *self, int fd,
                                   enum lookup_protocol protocol);
/* From now on, in threads of its own. DSND_ERR_NOMEM, DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err lookup_server_start(struct lookup_server *self);
/*
 * Use other limits, and say otherwise while the backend is away, from the next turn of the loop on;
 * `backend`, `threads` and what listens stay. After lookup_server_start; one thread.
 */
void lookup_server_reload(struct lookup_server *self, const struct lookup_settings *settings);
/* Closes all connections and waits for the threads. NULL is fine. */
void lookup_server_free(struct lookup_server *self);

#endif
