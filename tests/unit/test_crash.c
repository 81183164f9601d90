/* Whatever a process dies of by its own fault blames the record at hand. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "cmd/crash.h"
#include "tests/support/journal_kit.h"

enum { SEQUENCE = 77, FRAME = 4096, STACK_LIMIT = 1024 * 1024 };

/* Each call needs what the one in it gives. NOLINTNEXTLINE(misc-no-recursion) */
static unsigned fill_stack(unsigned depth)
{
    volatile char frame[FRAME];

    frame[depth % FRAME] = (char)depth;
    return depth == UINT32_MAX ? 0 : fill_stack(depth + 1) + (unsigned)frame[depth % FRAME];
}

static void overflow(void)
{
    const struct rlimit limit = {STACK_LIMIT, STACK_LIMIT};

    (void)setrlimit(RLIMIT_STACK, &limit);
    _exit((int)fill_stack(0) & 1);
}

static void trap(void)
{
    (void)raise(SIGTRAP);
}

static void kill_hard(void)
{
    (void)raise(SIGKILL);
}

static void die(const struct kit_dir *dir, void (*how)(void))
{
    const struct rlimit no_core = {0, 0};
    struct journal_reader *reader = NULL;
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        (void)setrlimit(RLIMIT_CORE, &no_core);
        if (journal_reader_open(dir->dir, &reader) == DSND_OK) {
            journal_reader_mark(reader, 0, SEQUENCE);
            crash_await(reader);
            how();
        }
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void a_crash_blames_the_record_at_once(void **state)
{
    static const struct {
        const char *name;
        void (*how)(void);
        unsigned deaths;
    } rows[] = {{"abort", abort, 1},
                {"trap", trap, 1},
                {"full stack", overflow, 1},
                {"kill", kill_hard, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct journal_reader *reader = NULL;
        struct kit_dir dir;

        kit_make(&dir);
        die(&dir, rows[i].how);
        assert_int_equal(journal_reader_open(dir.dir, &reader), DSND_OK);
        if (journal_reader_deaths(reader, SEQUENCE) != rows[i].deaths)
            fail_msg("%s: %u deaths", rows[i].name, journal_reader_deaths(reader, SEQUENCE));
        journal_reader_close(reader);
        kit_remove(&dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_blames_the_record_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
