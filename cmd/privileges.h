/*
 * What a process started as root gives up: its account, its groups, and all capabilities but that
 * to bind ports below 1024.
 */
#ifndef DSND_CMD_PRIVILEGES_H
#define DSND_CMD_PRIVILEGES_H

#include <stddef.h>

#include "base/err.h"

/*
 * Become `user` with the groups that account has, where this process runs as root; else, or where
 * `user` is "", do nothing. CAP_NET_BIND_SERVICE is kept, over execve too. Call it before the first
 * thread. There is no way back. On errors `error` says in words what was wrong:
 * DSND_ERR_NOT_FOUND: no such account; DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err privileges_drop(const char *user, char *error, size_t error_size);

/* Give up that capability too, for a process that binds nothing. DSND_ERR_IO. */
DSND_MUST_CHECK
enum dsnd_err privileges_drop_bind(void);

#endif
