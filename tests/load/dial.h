/* Connections to HOST:PORT, for sender.c. One thread. */
#ifndef DSND_TESTS_LOAD_DIAL_H
#define DSND_TESTS_LOAD_DIAL_H

#include "base/err.h"

/*
 * A connected TCP socket without Nagle's delay; the caller closes it.
 * DSND_ERR_SYNTAX: no HOST:PORT; DSND_ERR_IO: errno is set; DSND_ERR_NOT_FOUND: no such host.
 */
DSND_MUST_CHECK
enum dsnd_err dial(const char *address, int *ret_fd);

#endif
