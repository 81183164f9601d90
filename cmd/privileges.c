#include "cmd/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#define BIND_BIT (1u << CAP_NET_BIND_SERVICE)

/* Of the thread: what it has of `mask` (the capabilities below 32) stays, the rest goes. */
static bool keep_capabilities(uint32_t mask)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (syscall(SYS_capget, &header, data) != 0)
        return false;
    mask &= data[0].permitted;
    data[0] = (struct __user_cap_data_struct){mask, mask, mask};
    data[1] = (struct __user_cap_data_struct){0};
    return syscall(SYS_capset, &header, data) == 0;
}

/* What no program that is run later can get, whatever its file says. */
static void drop_bounding_set(void)
{
    for (int capability = 0; capability < 64; capability++)
        if (capability != CAP_NET_BIND_SERVICE)
            (void)prctl(PR_CAPBSET_DROP, capability, 0, 0,
                        0); /* EINVAL: there is none of that number */
}

static bool become(const struct passwd *account)
{
    drop_bounding_set();
    return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
           initgroups(account->pw_name, account->pw_gid) == 0 &&
           setresgid(account->pw_gid, account->pw_gid, account->pw_gid) == 0 &&
           setresuid(account->pw_uid, account->pw_uid, account->pw_uid) == 0 &&
           keep_capabilities(BIND_BIT) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

enum dsnd_err privileges_drop(const char *user, char *error, size_t error_size)
{
    const struct passwd *account;

    if (!user[0] || geteuid() != 0)
        return DSND_OK;
    errno = 0;
    account = getpwnam(user);
    if (!account || account->pw_uid == 0) {
        (void)snprintf(error, error_size,
                       "process.user: there is no account \"%.100s\" beside root%s", user,
                       errno ? ", or it cannot be looked up" : "");
        return DSND_ERR_NOT_FOUND;
    }
    if (!become(account)) {
        (void)snprintf(error, error_size, "process.user: cannot become \"%.100s\": %s", user,
                       strerror(errno));
        return DSND_ERR_IO;
    }
    /* Where root had not even that one, ports below 1024 must come from a service manager. */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0);
    return DSND_OK;
}

enum dsnd_err privileges_drop_bind(void)
{
    if (geteuid() == 0)
        return DSND_OK;
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return keep_capabilities(0) ? DSND_OK : DSND_ERR_IO;
}
