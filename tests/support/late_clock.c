/*
 * To be preloaded: the program reads a time of day that is an hour ahead of the kernel's, as if the
 * clock were set back right after each look. Who waits for a time of day waits for an hour.
 */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { AHEAD_S = 3600 };

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): libc's are reserved */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *at)
{
    int status = (int)syscall(SYS_clock_gettime, clock, at);

    if (status == 0 && clock == CLOCK_REALTIME)
        at->tv_sec += AHEAD_S;
    return status;
}
