/*
 * The receiver: sockets, threads, timers and limits around smtp_session. One event loop a thread,
 * each with its own listening sockets; a message is answered with 250 only from the journal's
 * callback, after it is durable. Start, reload, drain and stop are called by one thread.
 */
#ifndef DSND_INGEST_SMTP_SERVER_H
#define DSND_INGEST_SMTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ingest/journal.h"
#include "ingest/smtp_envelope.h"

enum { SMTP_DOMAINS_MAX = 256 };

/* All text is copied. NULL or "" means none where a default is named. */
struct smtp_server_settings {
    const char *listen;        /* "host:port, ..."; see smtp_listen.h */
    const char *tls_listen;    /* TLS from the first octet; needs tls_cert */
    const char *lmtp_listen;   /* host:port or the path of a unix socket */
    const char *submit_listen; /* mail of our own MTA, behind AUTH; needs users_file */
    const char *users_file;    /* see smtp_auth.h */
    bool confirms;             /* NOTIFY=SUCCESS is honoured for what is submitted */
    const char *proxy_from;    /* networks whose connections begin with a PROXY header; none */
    unsigned inherited;        /* sockets from descriptor 3 on, used where they listen as told */
    const char *hostname;      /* the machine's own */
    const char *domains;       /* comma-separated; at most SMTP_DOMAINS_MAX */
    uint64_t max_size;         /* octets of one message */
    uint64_t max_connections;
    uint64_t max_per_client;        /* of an IPv4 address or IPv6 /64, at least 1 */
    uint64_t connection_rate;       /* connections of such a client in a minute; 0: any number */
    uint64_t message_rate;          /* its messages */
    uint64_t error_rate;            /* its refused commands, after which it may not connect */
    uint64_t total_connection_rate; /* of all clients together, as the next */
    uint64_t total_message_rate;
    uint64_t max_recipients; /* 100..JOURNAL_RECIPIENTS_MAX */
    uint64_t max_memory;     /* octets of all mail in progress; 0: 256 MiB, at least 2 max_size */
    uint64_t idle_timeout_ms;
    uint64_t drain_timeout_ms;
    uint64_t min_rate;     /* octets a second of content after a grace; 0: 500 */
    unsigned threads;      /* event loops; 0: one a core. Not changed by a reload. */
    const char *tls_cert;  /* PEM files, see tls.h; with them STARTTLS is offered */
    const char *tls_key;   /* PEM files; "": in tls_cert */
    bool normalizes;       /* bare CR and LF in content are mended, not refused */
    bool require_signed;   /* refuse recipients that `verify` does not find in order */
    smtp_verify_fn verify; /* not NULL where require_signed; any loop's thread */
    void *verify_context;
    /* Called once no session uses verify_context any more; may be NULL; any thread. */
    void (*verify_release)(void *verify_context);
};

struct smtp_server;

/*
 * Listen and start the loops. `journal` must outlive the server. On errors `error` says in words
 * what was wrong, and verify_release is not called. DSND_ERR_SYNTAX: a setting,
 * or a file that it names; DSND_ERR_IO: sockets or threads; DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_server_start(const struct smtp_server_settings *settings,
                                struct journal *journal, char *error, size_t error_size,
                                struct smtp_server **ret_server);

/*
 * Use new limits, domains, certificates and verification for connections from now on; running
 * sessions keep what they began with. Addresses and threads stay. On errors, which are those of
 * smtp_server_start, everything stays as it was.
 */
DSND_MUST_CHECK
enum dsnd_err smtp_server_reload(struct smtp_server *self,
                                 const struct smtp_server_settings *settings, char *error,
                                 size_t error_size);

/*
 * Take no new sessions, end idle ones with 421, let transactions finish for drain_timeout_ms, then
 * end them with 421 too. Returns at once.
 */
void smtp_server_drain(struct smtp_server *self);

/* Drain, unless that was begun; wait until every session has ended; free. */
void smtp_server_stop(struct smtp_server *self);

/* The port of the n-th address, counted over listen, tls_listen, lmtp_listen and
 * submit_listen; 0 if none. */
uint16_t smtp_server_port(const struct smtp_server *self, size_t n);

/* Sessions open now. Any thread. */
size_t smtp_server_sessions(const struct smtp_server *self);

#endif
