/*
 * One reading of the settings, as connections use it. A reload makes a new one; the old one is
 * freed when its last connection ends, so that a session never sees limits change under it.
 */
#ifndef DSND_INGEST_SMTP_GENERATION_H
#define DSND_INGEST_SMTP_GENERATION_H

#include "ingest/smtp_envelope.h"
#include "ingest/smtp_peers.h"
#include "ingest/smtp_proxy.h"
#include "ingest/smtp_server.h"
#include "ingest/tls.h"

struct smtp_generation {
    struct smtp_session_settings session; /* its pointers lead into this struct */
    char hostname[256];
    char *domains_text;
    struct dsnd_str domains[SMTP_DOMAINS_MAX];
    struct smtp_networks proxies;
    struct journal *journal;
    struct tls_context *tls; /* NULL: no certificate */
    smtp_verify_fn verify;
    void *verify_context;
    void (*verify_release)(void *verify_context);
    uint64_t max_connections;
    struct smtp_peer_limits peer_limits;
    size_t max_memory;
    size_t max_share; /* of it, for one client */
    int64_t idle_timeout_ms;
    int64_t drain_timeout_ms;
    uint64_t min_rate;
    size_t users; /* connections, and one while it is current; guarded by the server's lock */
};

/* Errors and `error` as smtp_server_start. */
DSND_MUST_CHECK
enum dsnd_err smtp_generation_new(const struct smtp_server_settings *settings,
                                  struct journal *journal, struct smtp_budget *budget, char *error,
                                  size_t error_size, struct smtp_generation **ret_generation);
/* Calls verify_release. */
void smtp_generation_free(struct smtp_generation *self);

#endif
