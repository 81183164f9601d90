#include "ingest/journal_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int system_openat(int dir_fd, const char *name, int flags, mode_t mode)
{
    return openat(dir_fd, name, flags, mode);
}

static int system_free_octets(int fd, uint64_t *ret_octets)
{
    struct statvfs stat;

    if (fstatvfs(fd, &stat) != 0)
        return -1;
    *ret_octets = (uint64_t)stat.f_bavail * stat.f_frsize;
    return 0;
}

const struct journal_files journal_files_system = {
    .openat = system_openat,
    .pread = pread,
    .pwritev = pwritev,
    .fdatasync = fdatasync,
    .fsync = fsync,
    .ftruncate = ftruncate,
    .fallocate = fallocate,
    .renameat = renameat,
    .unlinkat = unlinkat,
    .free_octets = system_free_octets,
};

/* Drop `done` octets from the front of the parts; returns how many parts are used up. */
static int advance(struct iovec *parts, int count, size_t done)
{
    int used = 0;

    while (used < count && done >= parts[used].iov_len) {
        done -= parts[used].iov_len;
        used++;
    }
    if (used < count) {
        parts[used].iov_base = (char *)parts[used].iov_base + done;
        parts[used].iov_len -= done;
    }
    return used;
}

enum dsnd_err journal_files_write(const struct journal_files *self, int fd, struct iovec *parts,
                                  int count, uint64_t offset)
{
    while (count > 0) {
        ssize_t done = self->pwritev(fd, parts, count, (off_t)offset);
        int used;

        if (done < 0 && errno == EINTR)
            continue;
        if (done == 0)
            errno = ENOSPC; /* POSIX gives no errno for a write of nothing */
        if (done <= 0)
            return DSND_ERR_IO;
        offset += (uint64_t)done;
        used = advance(parts, count, (size_t)done);
        parts += used;
        count -= used;
    }
    return DSND_OK;
}

enum dsnd_err journal_files_read(const struct journal_files *self, int fd, char *dst, size_t len,
                                 uint64_t offset, size_t *ret_len)
{
    size_t have = 0;

    while (have < len) {
        ssize_t done = self->pread(fd, dst + have, len - have, (off_t)(offset + have));

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return DSND_ERR_IO;
        if (done == 0)
            break;
        have += (size_t)done;
    }
    *ret_len = have;
    return DSND_OK;
}

enum dsnd_err journal_files_sync_dir(const struct journal_files *self, int dir_fd)
{
    int fd = self->openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    enum dsnd_err err = DSND_OK;

    if (fd < 0)
        return DSND_ERR_IO;
    if (self->fsync(fd) != 0)
        err = DSND_ERR_IO;
    journal_files_close(fd);
    return err;
}

void journal_files_close(int fd)
{
    int saved = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = saved;
}
