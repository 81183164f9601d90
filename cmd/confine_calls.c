#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "cmd/confine.h"

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#else
#define MACHINE 0
#endif

/* System calls of other numberings than the machine's own (x32) begin here. */
#define FOREIGN_NUMBERS 0x40000000u

/*
 * What a receiver that listens never does, and what broken into it would do next. What it does do
 * is left to the libraries, whose calls change with their versions: no list of what is allowed.
 */
static const int forbidden[] = {
#ifndef __SANITIZE_ADDRESS__ /* its search for leaks traces */
    SYS_ptrace,
    SYS_process_vm_readv,
#endif
    SYS_execve,
    SYS_execveat,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_bind,
    SYS_listen,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_quotactl,
    SYS_open_by_handle_at,
    SYS_io_uring_setup,
    SYS_personality,
    SYS_setuid,
    SYS_setgid,
};

enum {
    FORBIDDEN_COUNT = sizeof(forbidden) / sizeof(*forbidden),
    HEAD = 4,
    FILTER_MAX = HEAD + FORBIDDEN_COUNT + 2,
};

/* Load the number once, then one comparison a call that is forbidden. */
static unsigned short make_filter(struct sock_filter filter[FILTER_MAX])
{
    unsigned short n = 0;

    filter[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[n++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 0, FORBIDDEN_COUNT + 3);
    filter[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FOREIGN_NUMBERS,
                                               FORBIDDEN_COUNT + 1, 0);
    for (int i = 0; i < FORBIDDEN_COUNT; i++)
        filter[n++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)forbidden[i], (uint8_t)(FORBIDDEN_COUNT - i), 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    return n;
}

enum dsnd_err confine_calls(void)
{
    struct sock_filter filter[FILTER_MAX];
    struct sock_fprog program = {.filter = filter};

    if (!MACHINE)
        return DSND_ERR_UNAVAILABLE;
    program.len = make_filter(filter);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return DSND_ERR_IO;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        return errno == ENOSYS || errno == EINVAL ? DSND_ERR_UNAVAILABLE : DSND_ERR_IO;
    return DSND_OK;
}
