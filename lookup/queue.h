/*
 * Questions on their way from the event loop to threads that ask the database, and back. Whatever
 * waits when a thread becomes free is asked at once, so a crowd costs hardly more than one does.
 */
#ifndef DSND_LOOKUP_QUEUE_H
#define DSND_LOOKUP_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lookup/answer.h"
#include "lookup/server.h"

struct lookup_conn;

/* Belongs to the loop, but to the queue from lookup_queue_put to lookup_queue_take. */
struct lookup_request {
    STAILQ_ENTRY(lookup_request) in_conn;
    STAILQ_ENTRY(lookup_request) in_queue;
    struct lookup_conn *conn; /* NULL: nobody waits for it any more; the loop's alone */
    int64_t asked_ms;
    enum lookup_map map;
    bool answered; /* the loop's alone */
    struct lookup_answer answer;
    size_t key_len;
    char key[];
};
STAILQ_HEAD(lookup_request_list, lookup_request);

struct lookup_queue;

/* Starts `threads` threads. `wake_fd`, an eventfd, is written when answers are there. */
DSND_MUST_CHECK
enum dsnd_err lookup_queue_new(const struct lookup_backend *backend, unsigned threads, int wake_fd,
                               struct lookup_queue **ret_queue);
/* Waits for the threads; frees what was not taken. */
void lookup_queue_free(struct lookup_queue *self);

/* False where so many wait that this one would wait too long; it stays the caller's. */
bool lookup_queue_put(struct lookup_queue *self, struct lookup_request *request);
/* Those that were answered meanwhile. */
void lookup_queue_take(struct lookup_queue *self, struct lookup_request_list *ret_list);

#endif
