/*
 * The receiver's insides: what its loops share, and one event loop. Only smtp_server.c,
 * smtp_loop.c and smtp_conn.c use it. Everything of a loop belongs to its thread, except where a
 * lock is named.
 */
#ifndef DSND_INGEST_SMTP_LOOP_H
#define DSND_INGEST_SMTP_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "ingest/smtp_budget.h"
#include "ingest/smtp_generation.h"
#include "ingest/smtp_listen.h"
#include "ingest/smtp_peers.h"
#include "ingest/smtp_reply.h"
#include "ingest/smtp_talkers.h"

enum {
    SMTP_READ_COMMANDS = 16 * 1024, /* octets of one read between messages */
    SMTP_READ_CONTENT = 64 * 1024,  /* and within one */
    SMTP_TICK_MS = 200,             /* how exactly deadlines are kept */
    SMTP_STALL_MS = 10 * 1000,      /* without progress, until it counts against a session */
};

/* What all loops use. */
struct smtp_shared {
    struct journal *journal;
    struct smtp_peers *peers;
    struct smtp_worker *worker;
    struct smtp_talkers talkers;
    struct smtp_budget budget;
    _Atomic size_t sessions;
    _Atomic uint64_t next_id;
    _Atomic bool draining;
    pthread_mutex_t lock; /* guards `current` and every generation's `users` */
    struct smtp_generation *current;
};

/* The settings in force, held until they are released. Any thread. */
struct smtp_generation *smtp_shared_acquire(struct smtp_shared *self);
void smtp_shared_release(struct smtp_shared *self, struct smtp_generation *generation);

struct smtp_conn;
TAILQ_HEAD(smtp_conn_list, smtp_conn);

/* Whether a connection may be ended to make room for another. */
enum smtp_evictable {
    SMTP_EVICTABLE_NEVER,   /* something is done for it */
    SMTP_EVICTABLE_IDLE,    /* at once: no transaction is open */
    SMTP_EVICTABLE_STALLED, /* once it was silent for SMTP_STALL_MS: within a transaction, or it
                               does not read */
    SMTP_EVICTABLE_COUNT,
};

struct smtp_listener {
    int fd;
    enum smtp_kind kind;
    struct smtp_loop *loop;
    struct event *event;
};

struct smtp_loop {
    struct smtp_shared *shared;
    pthread_t thread;
    struct event_base *base;
    struct event *tick;
    struct event *wake;
    int wake_fd; /* an eventfd that other threads write */
    struct smtp_listener listeners[SMTP_ADDRESSES_MAX];
    size_t listener_count;
    struct smtp_conn_list conns;
    struct smtp_conn_list evictable[SMTP_EVICTABLE_COUNT]; /* each the longest silent first */
    size_t conn_count;
    bool draining;
    int64_t drain_end_ms;    /* when transactions have had their time */
    int64_t paused_until_ms; /* accepting goes on then; 0: it is not paused */
    int64_t pause_log_ms;    /* the next pause is worth a log line then */
    pthread_mutex_t done_lock;
    struct smtp_conn *done; /* whose result is there; guarded by done_lock */
    char buffer[SMTP_READ_CONTENT];
};

/*
 * Count a connection of `client` and a session, which smtp_peers_leave ends; where a limit forbids
 * it, false, with what to tell the client.
 */
bool smtp_loop_admits(struct smtp_loop *self, const struct sockaddr *client,
                      const struct smtp_peer_limits *limits, enum smtp_reply *ret_refusal);

/* DSND_ERR_NOMEM, DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err smtp_loop_new(struct smtp_shared *shared, struct smtp_loop **ret_loop);
/* Takes `fd` over, also on errors. Before smtp_loop_start. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err smtp_loop_listen(struct smtp_loop *self, int fd, enum smtp_kind kind);
/* DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err smtp_loop_start(struct smtp_loop *self);
/* Look at `shared->draining` and the results that came. Any thread. */
void smtp_loop_wake(struct smtp_loop *self);
/* Wait for the thread, which ends when it drains and its last connection is gone. */
void smtp_loop_join(struct smtp_loop *self);
void smtp_loop_free(struct smtp_loop *self);

#endif
