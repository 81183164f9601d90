/*
 * The HTTP API: libmicrohttpd with epoll and a pool of threads, connections to PostgreSQL, limits
 * and deadlines; and the small listener for health and metrics. The one file of api/ that programs
 * include. Called by one thread; the server has threads of its own.
 */
#ifndef DSND_API_SERVER_H
#define DSND_API_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "parse/return_path.h"

struct api;

struct api_settings {
    const char *listen;         /* host:port or [address]:port; port 0 takes a free one */
    const char *metrics_listen; /* the same for /healthz, /readyz and /metrics; "": none */
    const char *tls_cert;       /* PEM files; "": no TLS */
    const char *tls_key;
    const char *database_url;
    const char *domain;                  /* bounce domain of minted return paths; "": none */
    const struct return_path_keys *keys; /* copied */
    struct dsnd_str providers;           /* text of the operator's own; absent: none */
    unsigned threads;                    /* that answer requests; each may hold a connection */
    unsigned max_connections;
    unsigned max_per_client;      /* connections of one address */
    uint64_t request_timeout_ms;  /* from a request's first octet to the end of its answer */
    uint64_t idle_timeout_ms;     /* between requests */
    uint64_t max_body;            /* octets of a request's body */
    uint64_t requests_per_second; /* of one client, on average; 0: no limit */
    uint64_t requests_burst;      /* of one client, at once */
};

/* Everything but addresses, database and keys as a default. */
void api_settings_init(struct api_settings *self);

/*
 * Start serving. The database may be away: requests are then answered with 503 until it is there.
 * DSND_ERR_SYNTAX: an address or the TLS pair is bad; DSND_ERR_IO: an address cannot be listened
 * on; DSND_ERR_NOMEM. `error` (of `error_size` octets) says it in words.
 */
DSND_MUST_CHECK
enum dsnd_err api_start(const struct api_settings *settings, struct api **ret_api, char *error,
                        size_t error_size);

/*
 * Take new keys, and read the TLS pair again: new connections get it, those that are open go on.
 * Addresses, threads and the database stay. Errors as api_start; what was in force stays then.
 */
DSND_MUST_CHECK
enum dsnd_err api_reload(struct api *self, const struct api_settings *settings, char *error,
                         size_t error_size);

/* Stop listening, let requests under way finish for at most `grace_ms`, end all threads, free. */
void api_stop(struct api *self, unsigned grace_ms);

/* The ports listened on; 0 where there is none. */
uint16_t api_port(const struct api *self);
uint16_t api_metrics_port(const struct api *self);
/* The database answered the last time it was tried. */
bool api_ready(struct api *self);

#endif
