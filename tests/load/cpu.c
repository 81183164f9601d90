#include "tests/load/cpu.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"

enum { PROC_FILE_MAX = 4096 };

struct process {
    pid_t parent;
    double own;   /* seconds */
    double ended; /* of children that have ended */
};

const char *cpu_part_name(enum cpu_part part)
{
    static const char *const names[CPU_COUNT] = {
        [CPU_RECEIVE] = "receive", [CPU_PIPELINE] = "pipeline",   [CPU_API] = "api",
        [CPU_SERVE] = "serve",     [CPU_POSTGRES] = "postgresql", [CPU_CLIENT] = "client",
    };

    return names[part];
}

/* proc(5): field 4, and 14 to 17; field 3 follows the last ')'. */
static int read_fields(struct dsnd_str text, struct process *ret_process)
{
    enum { FIRST = 3, PARENT = 4, OWN = 14, ENDED = 16, LAST = 17 };
    size_t end = dsnd_str_rchr(text, ')');
    struct dsnd_str rest = dsnd_str_slice(text, end == SIZE_MAX ? text.len : end + 2, text.len);
    double tick = (double)sysconf(_SC_CLK_TCK);

    *ret_process = (struct process){0};
    for (int i = FIRST; i <= LAST; i++) {
        struct dsnd_str field = dsnd_str_cut(&rest, ' ');
        uint64_t value = 0;

        if (i != FIRST && dsnd_str_to_u64(field, UINT64_MAX, &value))
            value = 0; /* some fields that are not wanted may be negative */
        if (i == PARENT)
            ret_process->parent = (pid_t)value;
        else if (i >= ENDED)
            ret_process->ended += (double)value / tick;
        else if (i >= OWN)
            ret_process->own += (double)value / tick;
    }
    return dsnd_str_present(rest);
}

static int read_process(pid_t pid, struct process *ret_process)
{
    struct dsnd_buf text = DSND_BUF_INIT(PROC_FILE_MAX);
    char path[64];
    int good;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    good = !file_read(path, &text) && read_fields(dsnd_buf_str(&text), ret_process);
    dsnd_buf_done(&text);
    return good;
}

pid_t cpu_parent(pid_t pid)
{
    struct process process;

    return read_process(pid, &process) ? process.parent : 0;
}

/* By the second word of its command line: "dsnd receive". */
static enum cpu_part part_of(pid_t pid)
{
    struct dsnd_buf text = DSND_BUF_INIT(PROC_FILE_MAX);
    enum cpu_part part = CPU_SERVE;
    struct dsnd_str words;
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    if (file_read(path, &text))
        goto out;
    words = dsnd_buf_str(&text);
    (void)dsnd_str_cut(&words, '\0');
    words = dsnd_str_cut(&words, '\0');
    for (enum cpu_part i = CPU_RECEIVE; i <= CPU_API; i++)
        if (dsnd_str_eq(words, dsnd_str_of(cpu_part_name(i))))
            part = i;
out:
    dsnd_buf_done(&text);
    return part;
}

static void add(pid_t pid, pid_t serve, pid_t postmaster, struct cpu_times *times)
{
    struct process process;

    if (!read_process(pid, &process))
        return;
    if (pid == serve || pid == postmaster)
        times->s[pid == serve ? CPU_SERVE : CPU_POSTGRES] += process.own + process.ended;
    else if (process.parent == postmaster)
        times->s[CPU_POSTGRES] += process.own;
    else if (process.parent == serve)
        times->s[part_of(pid)] += process.own;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

void cpu_read(pid_t serve, pid_t postmaster, struct cpu_times *ret_times)
{
    struct rusage usage;
    struct dirent *entry;
    DIR *dir = opendir("/proc");

    *ret_times = (struct cpu_times){{0}};
    while (dir && (entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0]))
            add((pid_t)strtol(entry->d_name, NULL, 10), serve, postmaster, ret_times);
    if (dir)
        (void)closedir(dir);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        ret_times->s[CPU_CLIENT] = seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
