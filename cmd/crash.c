#include "cmd/crash.h"

#include <signal.h>
#include <stdatomic.h>

/* SIGTRAP: so GLib ends a process that gets no memory. */
static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
enum { CRASH_SIGNALS = sizeof(crash_signals) / sizeof(*crash_signals), STACK_OCTETS = 64 * 1024 };
static struct sigaction before_crash[CRASH_SIGNALS];
static struct journal_reader *_Atomic crash_reader;

static void on_crash(int signal)
{
    struct journal_reader *reader = atomic_load(&crash_reader);

    if (reader)
        journal_reader_blame(reader);
    for (int i = 0; i < CRASH_SIGNALS; i++)
        if (crash_signals[i] == signal)
            (void)sigaction(signal, &before_crash[i], NULL);
    (void)raise(signal); /* comes once this returns */
}

void crash_await(struct journal_reader *reader)
{
    static char room[STACK_OCTETS]; /* a full stack has none for the handler */
    const stack_t stack = {.ss_sp = room, .ss_size = sizeof(room)};
    const struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK};

    atomic_store(&crash_reader, reader);
    if (!reader)
        return;
    (void)sigaltstack(&stack, NULL);
    for (int i = 0; i < CRASH_SIGNALS; i++)
        (void)sigaction(crash_signals[i], &action, &before_crash[i]);
}
