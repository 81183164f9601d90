/*
 * One HTTP daemon of libmicrohttpd: its callbacks to dispatch, and the answer back. Its threads
 * move octets; answers are made by api/workers.h, and the connection is suspended meanwhile.
 */
#ifndef DSND_API_DAEMON_H
#define DSND_API_DAEMON_H

#include "api/api.h"
#include "api/listen.h"

struct api_daemon;
struct request;

/* Serve on the listener's socket, with TLS where it has a certificate. NULL: it does not start. */
struct api_daemon *daemon_start(struct api *api, const struct api_listener *listener);
/* Take no further connections; the listening socket stays the listener's to close. */
void daemon_quiesce(struct api_daemon *self);
/* End it when all requests under way are answered, or when the monotonic clock says `until_ms`:
 * then connections are cut, but no answer that is being made. NULL is fine. */
void daemon_stop(struct api_daemon *self, int64_t until_ms);

/* Give a request that others worked on back to the library. Any thread. */
void daemon_resume(struct request *request);

#endif
