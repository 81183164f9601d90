/*
 * What the supervisor and its children agree on: how a child says that it is ready, and how it
 * learns that it is to stop or to reload. Each child calls these from its main thread.
 */
#ifndef DSND_CMD_CHILD_H
#define DSND_CMD_CHILD_H

#include <stdbool.h>

#include "base/err.h"
#include "base/metrics.h"

/* Environment of a child: descriptors of the shared metrics and of the readiness pipe. */
#define CHILD_ENV_SHM "DSND_SHM_FD"
#define CHILD_ENV_READY "DSND_READY_FD"

enum child_event {
    CHILD_EVENT_NONE, /* the time ran out */
    CHILD_EVENT_STOP,
    CHILD_EVENT_RELOAD,
};

/*
 * Block the signals that child_wait takes (call before any thread is started), attach the shared
 * metrics, name the process in the log. DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err child_begin(const char *name, enum metrics_slot slot);
/*
 * Become `user`, where it is named and root started us; keep the right to bind ports below 1024
 * only where `binds`. Call it before the first thread. Logs what was wrong; errors as
 * privileges_drop.
 */
DSND_MUST_CHECK
enum dsnd_err child_give_up_root(const char *user, bool binds);
/* A supervisor started this process; else it stands alone. */
bool child_supervised(void);
/* Tell the supervisor, or systemd where there is none, that this process serves. Once. */
void child_ready(void);
/* Wait for SIGTERM or SIGINT (stop) or SIGHUP (reload), at most `timeout_ms`; < 0 means for ever.
 */
enum child_event child_wait(int timeout_ms);

/*
 * How many listening sockets a service manager has passed, from descriptor 3 on, to us or to our
 * supervisor (sd_listen_fds(3)).
 */
unsigned child_sockets(void);

/* The exit status that tells the supervisor what `err` means: whether starting again can help. */
int child_exit_status(enum dsnd_err err);

#endif
