/*
 * dsnd serve: the supervisor. Starts receiver, pipeline, API, webhooks and lookup as processes of
 * their own, starts one that died again with back-off, passes signals on, and stops them in the
 * order of the data: first the receiver, so that what it accepted is durable, then the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef DSND_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cmd/child.h"
#include "cmd/commands.h"
#include "cmd/material.h"
#include "cmd/reload.h"
#include "cmd/settings.h"

enum {
    SERVE_TICK_MS = 100,
    SERVE_BACKOFF_FIRST_MS = 100,
    SERVE_BACKOFF_MAX_MS = 30000,
    SERVE_STEADY_MS = 60000, /* a child that lived this long starts its back-off anew */
    SERVE_STOP_EXTRA_MS = 5000,
};

struct child {
    const char *name;
    bool off;  /* nothing is set for it to do */
    pid_t pid; /* 0: not running */
    int ready_fd;
    bool ready;
    int64_t started_ms;
    int64_t start_at_ms;
    int64_t backoff_ms; /* 0: start again at once */
};

struct serve {
    struct child children[6]; /* in the order in which they start and stop */
    char **argv;              /* of `dsnd serve`, handed on */
    int argc;
    int metrics_fd;
    bool announced; /* systemd knows that we are ready */
    bool stopping;
    int64_t grace_ms; /* from SIGTERM until what still runs is killed */
    int64_t kill_at_ms;
    int status; /* to exit with */
};

enum { SERVE_CHILDREN = sizeof(((struct serve *)0)->children) / sizeof(struct child) };

static void set_fd_variable(const char *name, int fd)
{
    char text[16];

    if (snprintf(text, sizeof(text), "%d", fd) < 0 || setenv(name, text, 1) != 0)
        _exit(EXIT_FAILED);
}

/* In the child: become `dsnd NAME` with our own arguments. */
static void become(const struct serve *self, const struct child *child, int ready_fd)
{
    char **argv = calloc((size_t)self->argc + 2, sizeof(*argv));
    char *name = strdup(child->name);
    sigset_t none;

    if (!argv || !name)
        _exit(EXIT_FAILED);
    argv[0] = strdup("dsnd");
    argv[1] = name;
    for (int i = 1; i < self->argc; i++)
        argv[i + 1] = self->argv[i];
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    set_fd_variable(CHILD_ENV_READY, ready_fd);
    set_fd_variable(CHILD_ENV_SHM, self->metrics_fd);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)execv("/proc/self/exe", argv);
    _exit(EXIT_FAILED);
}

static void start_child(struct serve *self, struct child *child)
{
    int pipe_fds[2] = {-1, -1};
    pid_t pid = -1;

    if (pipe2(pipe_fds, O_NONBLOCK) == 0) {
        (void)fcntl(pipe_fds[0], F_SETFD, FD_CLOEXEC);
        pid = fork();
    }
    if (pid == 0)
        become(self, child, pipe_fds[1]);
    if (pipe_fds[1] >= 0)
        (void)close(pipe_fds[1]);
    child->started_ms = dsnd_clock_monotonic_ms();
    if (pid < 0) {
        log_event(LOG_LEVEL_CRIT, "serve.start", "child=%s error=\"%s\"", child->name,
                  strerror(errno));
        child->start_at_ms = child->started_ms + SERVE_BACKOFF_MAX_MS;
        if (pipe_fds[0] >= 0)
            (void)close(pipe_fds[0]);
        return;
    }
    child->pid = pid;
    child->ready_fd = pipe_fds[0];
    child->ready = false;
    log_event(LOG_LEVEL_INFO, "serve.start", "child=%s child_pid=%d", child->name, (int)pid);
}

static void signal_children(struct serve *self, int signal_number)
{
    for (int i = 0; i < SERVE_CHILDREN; i++)
        if (self->children[i].pid)
            (void)kill(self->children[i].pid, signal_number);
}

/* Stop the receiver first; the others follow when it has gone. */
static void continue_stop(struct serve *self)
{
    if (self->children[0].pid) {
        (void)kill(self->children[0].pid, SIGTERM);
        return;
    }
    signal_children(self, SIGTERM);
}

static void begin_stop(struct serve *self, int64_t grace_ms, int status)
{
    if (self->stopping) { /* asked twice: at once */
        signal_children(self, SIGKILL);
        return;
    }
    self->stopping = true;
    self->status = status;
    self->kill_at_ms = dsnd_clock_monotonic_ms() + grace_ms;
    continue_stop(self);
}

static void schedule_restart(struct serve *self, struct child *child, int wait_status)
{
    int64_t now = dsnd_clock_monotonic_ms();
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;

    log_event(LOG_LEVEL_ERR, "serve.child_died", "child=%s exit=%d signal=%d", child->name, code,
              WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0);
    /* At the start a person reads it; later a file that went bad must not end what still runs. */
    if (!self->announced && (code == EXIT_USAGE || code == EXIT_VERSION)) {
        begin_stop(self, SERVE_STOP_EXTRA_MS, code);
        return;
    }
    if (now - child->started_ms >= SERVE_STEADY_MS)
        child->backoff_ms = 0;
    child->start_at_ms = now + child->backoff_ms;
    child->backoff_ms = child->backoff_ms ? child->backoff_ms * 2 : SERVE_BACKOFF_FIRST_MS;
    if (child->backoff_ms > SERVE_BACKOFF_MAX_MS)
        child->backoff_ms = SERVE_BACKOFF_MAX_MS;
    metrics_add(METRIC_RESTARTS, 1);
}

static void reap(struct serve *self)
{
    int wait_status;
    pid_t pid;

    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        for (int i = 0; i < SERVE_CHILDREN; i++) {
            struct child *child = &self->children[i];

            if (child->pid != pid)
                continue;
            child->pid = 0;
            child->ready = false;
            (void)close(child->ready_fd);
            if (!self->stopping)
                schedule_restart(self, child, wait_status);
        }
        if (self->stopping)
            continue_stop(self);
    }
}

static int running(const struct serve *self)
{
    int count = 0;

    for (int i = 0; i < SERVE_CHILDREN; i++)
        count += self->children[i].pid != 0;
    return count;
}

static void read_readiness(struct serve *self)
{
    bool all = true;

    for (int i = 0; i < SERVE_CHILDREN; i++) {
        struct child *child = &self->children[i];
        char octet;

        if (child->pid && !child->ready && read(child->ready_fd, &octet, 1) == 1)
            child->ready = true;
        all = all && (child->ready || child->off);
    }
    if (!all || self->announced)
        return;
    self->announced = true;
    log_event(LOG_LEVEL_INFO, "serve.ready", "children=%d", running(self));
#ifdef DSND_HAVE_SYSTEMD
    (void)sd_notify(0, "READY=1");
#endif
}

static void start_due(struct serve *self)
{
    int64_t now = dsnd_clock_monotonic_ms();

    for (int i = 0; i < SERVE_CHILDREN; i++)
        if (!self->children[i].off && !self->children[i].pid &&
            self->children[i].start_at_ms <= now)
            start_child(self, &self->children[i]);
}

/* How long a stop may take, and whether lookup has something to do. */
static void use(struct serve *self, const struct settings *settings)
{
    struct child *lookup = &self->children[SERVE_CHILDREN - 1];

    self->grace_ms = (int64_t)settings->smtp.drain_timeout + SERVE_STOP_EXTRA_MS;
    if (!lookup->pid)
        lookup->off = !settings->lookup.socketmap_listen[0] &&
                      !settings->lookup.tcp_table_listen[0] &&
                      !settings->lookup.readsocket_listen[0];
}

/* What is bad is told by those whose it is, too. */
static void reload(struct serve *self)
{
    static struct settings fresh;
    struct config_error error = {""};

    signal_children(self, SIGHUP);
    if (settings_reload(&fresh, &error) || material_check(&fresh, &error)) {
        log_event(LOG_LEVEL_ERR, "serve.reload_failed", "error=\"%s\" kept=old",
                  LOG_QUOTED(error.text));
        return;
    }
    use(self, &fresh);
    reload_done(&fresh, "serve");
}

static void run(struct serve *self, const sigset_t *signals)
{
    const struct timespec tick = {0, SERVE_TICK_MS * 1000000L};

    while (!self->stopping || running(self)) {
        int caught;

        if (!self->stopping)
            start_due(self);
        caught = sigtimedwait(signals, NULL, &tick);
        if (caught == SIGTERM || caught == SIGINT)
            begin_stop(self, self->grace_ms, EXIT_DONE);
        else if (caught == SIGHUP)
            reload(self);
        reap(self);
        if (!self->stopping)
            read_readiness(self);
        else if (dsnd_clock_monotonic_ms() > self->kill_at_ms)
            signal_children(self, SIGKILL);
    }
}

int cmd_serve(int argc, char **argv)
{
    static struct settings settings;
    struct serve self = {.children = {{.name = "receive"},
                                      {.name = "pipeline"},
                                      {.name = "api"},
                                      {.name = "relay"},
                                      {.name = "webhooks"},
                                      {.name = "lookup"}},
                         .argv = argv,
                         .argc = argc,
                         .metrics_fd = -1};
    struct config_error error = {""};
    sigset_t signals;
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd serve [-c FILE]\n\n"
        "Runs receiver, pipeline, API, webhooks and, where it is set, lookup as processes of "
        "their\n"
        "own on this machine.\n"
        "SIGHUP reloads certificates, keys, rules and limits; SIGTERM drains; a second SIGTERM "
        "ends at\n"
        "once.\n",
        &settings);

    if (status >= 0)
        return status;
    log_set_process("serve");
    use(&self, &settings);
    if (child_give_up_root(settings.process.user, true))
        return EXIT_USAGE;
    if (material_check(&settings, &error)) {
        log_event(LOG_LEVEL_CRIT, "serve.config", "error=\"%s\"", LOG_QUOTED(error.text));
        return EXIT_USAGE;
    }
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)sigaddset(&signals, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0 || metrics_share(&self.metrics_fd) ||
        metrics_attach(self.metrics_fd, METRICS_SLOT_SERVE)) {
        log_event(LOG_LEVEL_CRIT, "serve.start", "error=\"%s\"", strerror(errno));
        return EXIT_FAILED;
    }
    run(&self, &signals);
    log_event(LOG_LEVEL_INFO, "serve.stopped", "status=%d", self.status);
    return self.status;
}
