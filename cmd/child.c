#include "cmd/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifdef DSND_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/log.h"
#include "base/str.h"
#include "cmd/commands.h"
#include "cmd/privileges.h"

enum { CHILD_SOCKETS_MAX = 64 };

/* A descriptor that the supervisor left in the environment, or -1. */
static int inherited_fd(const char *name)
{
    uint64_t fd;

    if (dsnd_str_to_u64(dsnd_str_of(getenv(name)), 1 << 20, &fd) != DSND_OK)
        return -1;
    return (int)fd;
}

static void control_signals(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGHUP);
}

enum dsnd_err child_begin(const char *name, enum metrics_slot slot)
{
    sigset_t set;

    log_set_process(name);
    control_signals(&set);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return DSND_ERR_IO;
    /* A supervisor that was killed cannot stop us; its end does. */
    if (child_supervised() && prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
        return DSND_ERR_IO;
    return metrics_attach(inherited_fd(CHILD_ENV_SHM), slot);
}

enum dsnd_err child_give_up_root(const char *user, bool binds)
{
    char error[256] = "";
    enum dsnd_err err = privileges_drop(user, error, sizeof(error));

    /* Where a service manager forbids that, its own limits hold. */
    if (!err && !binds && privileges_drop_bind())
        log_event(LOG_LEVEL_INFO, "process.privileges", "kept=ports_below_1024");
    if (err)
        log_event(LOG_LEVEL_CRIT, "process.privileges", "error=\"%s\"", LOG_QUOTED(error));
    else if (geteuid() == 0)
        log_event(LOG_LEVEL_WARN, "process.root", "mend=\"set process.user\"");
    return err;
}

bool child_supervised(void)
{
    return inherited_fd(CHILD_ENV_READY) >= 0;
}

void child_ready(void)
{
    int fd = inherited_fd(CHILD_ENV_READY);

    if (fd >= 0) {
        if (write(fd, "1", 1) != 1)
            log_event(LOG_LEVEL_WARN, "child.ready", "error=\"supervisor is gone\"");
        (void)close(fd);
        return;
    }
#ifdef DSND_HAVE_SYSTEMD
    (void)sd_notify(0, "READY=1");
#endif
}

unsigned child_sockets(void)
{
    uint64_t count;
    uint64_t pid;

    if (dsnd_str_to_u64(dsnd_str_of(getenv("LISTEN_FDS")), CHILD_SOCKETS_MAX, &count) ||
        dsnd_str_to_u64(dsnd_str_of(getenv("LISTEN_PID")), INT32_MAX, &pid))
        return 0;
    if (pid != (uint64_t)getpid() && !(child_supervised() && pid == (uint64_t)getppid()))
        return 0;
    return (unsigned)count;
}

enum child_event child_wait(int timeout_ms)
{
    struct timespec limit = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
    sigset_t set;
    int caught;

    control_signals(&set);
    do
        caught = timeout_ms < 0 ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &limit);
    while (caught < 0 && errno == EINTR);
    if (caught < 0)
        return CHILD_EVENT_NONE;
    return caught == SIGHUP ? CHILD_EVENT_RELOAD : CHILD_EVENT_STOP;
}

int child_exit_status(enum dsnd_err err)
{
    if (err == DSND_OK)
        return EXIT_DONE;
    if (err == DSND_ERR_VERSION)
        return EXIT_VERSION;
    return err == DSND_ERR_SYNTAX ? EXIT_USAGE : EXIT_FAILED;
}
