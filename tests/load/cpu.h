/*
 * Processor time of the service by process, from /proc. Linux. One thread.
 */
#ifndef DSND_TESTS_LOAD_CPU_H
#define DSND_TESTS_LOAD_CPU_H

#include <sys/types.h>

enum cpu_part {
    CPU_RECEIVE,
    CPU_PIPELINE,
    CPU_API,
    CPU_SERVE,
    CPU_POSTGRES,
    CPU_CLIENT,
    CPU_COUNT
};

/* Seconds of user and system time since each process began. */
struct cpu_times {
    double s[CPU_COUNT];
};

const char *cpu_part_name(enum cpu_part part);

/* The parent of a process; 0 when there is none. */
pid_t cpu_parent(pid_t pid);

/* `serve` is the supervisor, `postmaster` the parent of all processes of PostgreSQL. */
void cpu_read(pid_t serve, pid_t postmaster, struct cpu_times *ret_times);

#endif
