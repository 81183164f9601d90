/*
 * One connection of a mail server. Questions may come before earlier ones are answered; answers go
 * out in order. Only server.c uses it; all of it belongs to the loop's thread.
 */
#ifndef DSND_LOOKUP_CONN_H
#define DSND_LOOKUP_CONN_H

#include <event2/event.h>
#include <sys/queue.h>

#include "lookup/queue.h"
#include "lookup/server.h"

TAILQ_HEAD(lookup_conn_list, lookup_conn);

/* What the connections of a server share. */
struct lookup_shared {
    struct lookup_settings settings;
    struct event_base *base;
    struct lookup_queue *queue;
    struct lookup_conn_list conns; /* the longest without a question first */
    size_t conn_count;
};

/* Takes `fd` over, also on errors. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err lookup_conn_start(struct lookup_shared *shared, int fd,
                                enum lookup_protocol protocol);
void lookup_conn_free(struct lookup_conn *self);

/* An answer came; takes `request` over. */
void lookup_conn_answered(struct lookup_request *request);
/* Look at the deadlines of all connections. */
void lookup_conns_check(struct lookup_shared *shared, int64_t now_ms);
/* Close the longest idle that waits for no answer; false where there is none. */
bool lookup_conns_evict(struct lookup_shared *shared);

#endif
