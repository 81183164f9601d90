/*
 * One HTTP daemon of libmicrohttpd: its callbacks to dispatch, and the answer back. Threads of the
 * library's pool.
 */
#ifndef DSND_API_DAEMON_H
#define DSND_API_DAEMON_H

#include <microhttpd.h>

#include "api/api.h"
#include "api/listen.h"

/* Serve on the listener's socket, with TLS where it has a certificate. NULL: it does not start. */
struct MHD_Daemon *daemon_start(struct api *self, const struct api_listener *listener);
/* Quiesced first, so that the listening socket stays the listener's to close. NULL is fine. */
void daemon_stop(struct MHD_Daemon *daemon);

#endif
