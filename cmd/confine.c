#include "cmd/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/landlock.h>

/* Of kernels younger than the headers. */
enum {
    ABI_REFER = 2,    /* Linux 5.19 */
    ABI_TRUNCATE = 3, /* 6.2 */
    ABI_NET = 4,      /* 6.7 */
};
#define ACCESS_REFER (UINT64_C(1) << 13)
#define ACCESS_TRUNCATE (UINT64_C(1) << 14)
#define ACCESS_CONNECT_TCP (UINT64_C(1) << 1)

#define ACCESS_SOCKETS (LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define ACCESS_WRITE                                                                               \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

struct ruleset {
    uint64_t fs;
    uint64_t net; /* known since ABI_NET */
};

static uint64_t write_access(long abi)
{
    return ACCESS_WRITE | (abi >= ABI_REFER ? ACCESS_REFER : 0) |
           (abi >= ABI_TRUNCATE ? ACCESS_TRUNCATE : 0);
}

static enum dsnd_err allow(int ruleset, const struct confine_dir *dir, long abi)
{
    struct landlock_path_beneath_attr rule = {
        .allowed_access = dir->sockets_only ? ACCESS_SOCKETS : write_access(abi),
    };
    long failed;

    if (mkdir(dir->path, S_IRWXU) != 0 && errno != EEXIST)
        return DSND_ERR_IO;
    rule.parent_fd = open(dir->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return DSND_ERR_IO;
    failed = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    (void)close(rule.parent_fd);
    return failed ? DSND_ERR_IO : DSND_OK;
}

enum dsnd_err confine(const struct confine_dir *dirs, int count)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    const struct ruleset rules = {
        .fs = write_access(abi) | LANDLOCK_ACCESS_FS_EXECUTE,
        .net = ACCESS_CONNECT_TCP,
    };
    enum dsnd_err err = DSND_OK;
    int ruleset;

    if (abi < 1)
        return DSND_ERR_UNAVAILABLE;
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules,
                           abi >= ABI_NET ? sizeof(rules) : sizeof(rules.fs), 0);
    if (ruleset < 0)
        return DSND_ERR_IO;
    for (int i = 0; i < count && !err; i++)
        err = allow(ruleset, &dirs[i], abi);
    if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                 syscall(SYS_landlock_restrict_self, ruleset, 0) != 0))
        err = DSND_ERR_IO;
    (void)close(ruleset);
    return err;
}
