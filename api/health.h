/*
 * The listener for health (/healthz, /readyz) and Prometheus metrics. It
 * needs no token, so it belongs on a private address. Private to api/.
 */
#ifndef DSND_API_HEALTH_H
#define DSND_API_HEALTH_H

#include "api/api.h"

/* Serve on the listening socket `fd`, with one thread. NULL where that fails. */
struct MHD_Daemon *health_start(struct api *api, int fd);

#endif
