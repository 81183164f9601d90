/*
 * Sockets and TLS pairs of the API's listeners. Private to api/.
 */
#ifndef DSND_API_LISTEN_H
#define DSND_API_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "base/err.h"

/*
 * Listen on host:port or [address]:port. DSND_ERR_SYNTAX: no such address; DSND_ERR_IO; `error`
 * says why. The caller closes `*ret_fd`.
 */
DSND_MUST_CHECK
enum dsnd_err listen_open(const char *address, int *ret_fd, uint16_t *ret_port, char *error,
                          size_t error_size);
/* Read certificate and key into the listener, or neither. DSND_ERR_SYNTAX, as above. */
DSND_MUST_CHECK
enum dsnd_err listen_read_pair(const struct api_settings *settings, struct api_listener *listener,
                               char *error, size_t error_size);
/* Close the socket, where there is one, and wipe the key. */
void listen_close(struct api_listener *listener);

#endif
