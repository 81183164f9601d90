/*
 * One connection: its socket, TLS, buffers and deadlines around a session. Belongs to its loop's
 * thread; only the journal's result comes from another one.
 */
#ifndef DSND_INGEST_SMTP_CONN_H
#define DSND_INGEST_SMTP_CONN_H

#include <event2/event_struct.h>

#include "ingest/smtp_loop.h"
#include "ingest/smtp_session.h"
#include "ingest/smtp_stream.h"
#include "ingest/smtp_worker.h"

enum smtp_phase {
    SMTP_PHASE_PROXY, /* a load balancer is to say who its client is */
    SMTP_PHASE_HANDSHAKE,
    SMTP_PHASE_TALK,   /* the session takes input */
    SMTP_PHASE_FLUSH,  /* output must go before the session takes more input */
    SMTP_PHASE_PAUSE,  /* a client of many errors waits */
    SMTP_PHASE_VERIFY, /* the worker looks at what the client said in AUTH */
    SMTP_PHASE_COMMIT, /* the journal has the message */
    SMTP_PHASE_CLOSE,  /* the last output goes */
    SMTP_PHASE_LINGER, /* closed towards the client, which has not closed yet */
    SMTP_PHASE_DEAD,   /* to be freed, once the journal does not need it */
};

struct smtp_conn {
    TAILQ_ENTRY(smtp_conn) link;
    TAILQ_ENTRY(smtp_conn) evictable_link;
    enum smtp_evictable evictable; /* the list of the loop it stands in */
    int64_t active_ms;             /* when it last did anything */
    struct smtp_loop *loop;
    struct smtp_generation *generation;
    struct smtp_stream stream;
    enum smtp_kind kind;
    uint64_t id; /* of the session, for log lines */
    enum smtp_phase phase;
    bool counted;  /* in the table of peers */
    bool readable; /* the read event is set */
    bool writable; /* the write event is set */
    bool content;  /* the deadline is that of content */
    int64_t deadline_ms;
    int64_t steady_ms; /* up to when what came within the transaction makes a steady flow */
    struct event read_event;
    struct event write_event;
    struct smtp_peer_key peer_key;
    char peer[SMTP_LISTEN_TEXT_SIZE];
    struct dsnd_buf out;
    size_t sent;             /* octets of `out` that are gone */
    struct dsnd_buf pending; /* input that the session could not take yet */
    bool lent; /* the journal or the worker points at it, and hands it back through the loop */
    struct smtp_work work;
    /* Of the message that the journal has: */
    size_t octets;
    size_t recipients;
    enum dsnd_err result; /* set by the committer before it hands the connection back */
    uint64_t sequence;
    struct smtp_conn *next_done; /* guarded by the loop's done_lock */
    struct smtp_session session;
};

/* What the loop knows of a new connection. */
struct smtp_arrival {
    int fd;
    enum smtp_kind kind;
    struct smtp_peer_key key;
    bool counted; /* in the table of peers: leaves it with the connection */
    bool proxied; /* comes from a balancer, and begins with a PROXY header */
    const struct sockaddr *address;
};

/* Takes the arrival over in each case; greets it. */
void smtp_conn_start(struct smtp_loop *loop, const struct smtp_arrival *arrival);

/* It was lent and is back, with the journal's or the worker's result: answer. */
void smtp_conn_returned(struct smtp_conn *self);
/* Its deadline may have passed. */
void smtp_conn_check(struct smtp_conn *self, int64_t now_ms);
/* The receiver stops: end it now if it is idle, or whatever it does where `now`. */
void smtp_conn_drain(struct smtp_conn *self, bool now);
/*
 * What it burdens the memory for mail with: octets held times milliseconds without progress; 0: it
 * is on its way.
 */
uint64_t smtp_conn_burden(const struct smtp_conn *self, int64_t now_ms);
/* End it, for its burden. */
void smtp_conn_relieve(struct smtp_conn *self);
/* End it to make room. */
void smtp_conn_evict(struct smtp_conn *self);

#endif
