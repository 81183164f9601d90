/*
 * What the files of api/ share: the server's parts. Private to api/. All parts may be used by any
 * thread.
 */
#ifndef DSND_API_API_H
#define DSND_API_API_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/auth.h"
#include "api/database.h"
#include "api/limit.h"
#include "api/server.h"
#include "api/waiters.h"
#include "api/watch.h"
#include "api/workers.h"

struct MHD_Daemon;
struct api_daemon;

/* Keys and providers that were replaced are kept until the end, since requests may still borrow
 * them. */
struct api_keys {
    struct return_path_keys keys;
    struct provider_set *providers; /* NULL: those built in */
    struct api_keys *previous;
};

struct api_listener {
    int fd;
    uint16_t port;
    char *tls_cert; /* PEM text, owned */
    char *tls_key;
};

struct api {
    struct database *database;
    struct database *quick;     /* for what is answered in place: its statements may take no time */
    atomic_llong quick_from_ms; /* nothing is, before the monotonic clock says so */
    struct auth *auth;
    struct limit *limit;
    struct watch *watch;
    struct waiters *waiters;
    struct workers *workers;
    _Atomic(struct api_keys *) keys;
    char domain[256];
    struct api_settings settings; /* its strings are the caller's: only numbers are used */
    struct api_listener http;
    struct api_listener metrics;
    struct api_daemon *daemon;  /* behind `http` */
    struct api_daemon *leaving; /* the one before the last reload: its connections go on */
    struct MHD_Daemon *health;  /* behind `metrics` */
    atomic_bool stopping;       /* it is not ready any more */
};

#endif
