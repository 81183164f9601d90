#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/confine.h"

enum { EXIT_UNAVAILABLE = 77 };

static char dir[64];

static const char *below(const char *name)
{
    static char path[108]; /* as sun_path */

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static int creates(const char *name)
{
    int fd = open(below(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static int binds(const char *name)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int ok;

    (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", below(name));
    ok = bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0;
    (void)close(fd);
    return ok;
}

/* Whether a connection is forbidden, not merely refused. */
static int connects(void)
{
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(1)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int ok = connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0 || errno != EACCES;

    (void)close(fd);
    return ok;
}

/* In a child, because there is no way back: bits of what is still possible. */
static int confined_child(void)
{
    char journal[128];
    char sockets[128];
    struct confine_dir dirs[] = {{journal, false}, {sockets, true}};
    enum dsnd_err err;

    (void)snprintf(journal, sizeof(journal), "%s", below("journal"));
    (void)snprintf(sockets, sizeof(sockets), "%s", below("sockets"));
    err = confine(dirs, 2);
    if (err)
        return err == DSND_ERR_UNAVAILABLE ? EXIT_UNAVAILABLE : 100;
    return (creates("journal/a") ? 1 : 0) | (unlink(below("journal/a")) == 0 ? 2 : 0) |
           (binds("sockets/s") ? 4 : 0) | (creates("sockets/a") ? 8 : 0) | (creates("a") ? 16 : 0) |
           (unlink(below("there")) == 0 ? 32 : 0) |
           (open(below("there"), O_RDONLY | O_CLOEXEC) >= 0 ? 64 : 0) | (connects() ? 128 : 0);
}

static void only_the_journal_and_sockets_can_be_written(void **state)
{
    int status;
    pid_t child;

    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/test_confine.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_true(creates("there"));
    child = fork();
    if (child == 0)
        _exit(confined_child());
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)unlink(below("sockets/s"));
    (void)unlink(below("there"));
    (void)rmdir(below("sockets"));
    (void)rmdir(below("journal"));
    (void)rmdir(dir);
    if (WEXITSTATUS(status) == EXIT_UNAVAILABLE)
        skip();
    /* Kernels before 6.7 do not know of connections. */
    assert_int_equal(WEXITSTATUS(status) & 127, 1 | 2 | 4 | 64);
}

/* In a child: bits of what it can still do. */
static int filtered_child(void)
{
    char *const arguments[] = {NULL};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    enum dsnd_err err = confine_calls();

    if (err)
        return err == DSND_ERR_UNAVAILABLE ? EXIT_UNAVAILABLE : 100;
    return (bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0 || errno != EPERM ? 1 : 0) |
           (execve("/bin/true", arguments, arguments) == 0 || errno != EPERM ? 2 : 0) |
           (getpid() > 0 ? 4 : 0);
}

static void programs_and_further_sockets_are_refused(void **state)
{
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0)
        _exit(filtered_child());
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WEXITSTATUS(status) == EXIT_UNAVAILABLE)
        skip();
    assert_int_equal(WEXITSTATUS(status), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_journal_and_sockets_can_be_written),
        cmocka_unit_test(programs_and_further_sockets_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
