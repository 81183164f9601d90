/*
 * What a process gives up before it meets the outside: by Landlock, on kernels that have it.
 */
#ifndef DSND_CMD_CONFINE_H
#define DSND_CMD_CONFINE_H

#include <stdbool.h>

#include "base/err.h"

/* A directory below which files may still be changed; one that is not there is made. */
struct confine_dir {
    const char *path;
    bool sockets_only; /* only unix sockets may be made in it, and removed */
};

/*
 * From now on this thread, and those it starts, change files only below `dirs` (at most 8), run no
 * program and open no TCP connection (that since Linux 6.7). Call it before the first thread.
 * DSND_ERR_IO: a directory cannot be opened, errno says why; DSND_ERR_UNAVAILABLE: the kernel has
 * no Landlock, nothing has changed.
 */
DSND_MUST_CHECK
enum dsnd_err confine(const struct confine_dir *dirs, int count);

/*
 * From now on no thread of this process can run a program, trace or change another process, mount,
 * load code into the kernel, or listen on a further socket: such calls fail with EPERM (seccomp).
 * Call it once every socket listens. DSND_ERR_UNAVAILABLE: the kernel or this machine's processor
 * knows no filters; DSND_ERR_IO.
 */
DSND_MUST_CHECK
enum dsnd_err confine_calls(void);

#endif
