#include "ingest/journal_revive.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK = 1024 * 1024 };

static enum dsnd_err copy_octets(const struct journal_files *files, int from_fd, int to_fd,
                                 uint64_t octets, char *chunk)
{
    uint64_t offset = 0;

    while (offset < octets) {
        size_t want = octets - offset < CHUNK ? (size_t)(octets - offset) : CHUNK;
        struct iovec part = {chunk, want};
        size_t len = 0;
        enum dsnd_err err = journal_files_read(files, from_fd, chunk, want, offset, &len);

        if (!err && len < want) {
            errno = EIO;
            err = DSND_ERR_IO;
        }
        if (!err)
            err = journal_files_write(files, to_fd, &part, 1, offset);
        if (err)
            return err;
        offset += want;
    }
    return DSND_OK;
}

static enum dsnd_err fill_copy(const struct journal_dir *dir, const struct journal_tail *tail,
                               int fd)
{
    char *chunk = malloc(CHUNK);
    enum dsnd_err err;

    if (!chunk)
        return DSND_ERR_NOMEM;
    err = copy_octets(dir->files, tail->fd, fd, tail->end, chunk);
    free(chunk);
    if (!err && dir->files->fsync(fd) != 0)
        err = DSND_ERR_IO;
    return err;
}

enum dsnd_err journal_revive_copy(const struct journal_dir *dir, const struct journal_tail *tail)
{
    char name[JOURNAL_SEGMENT_NAME_SIZE];
    char temporary[JOURNAL_SEGMENT_NAME_SIZE + 4];
    enum dsnd_err err;
    int saved;
    int len;
    int fd;

    journal_segment_name(tail->number, name);
    len = snprintf(temporary, sizeof(temporary), "%s.tmp", name);
    assert(len > 0 && (size_t)len < sizeof(temporary));
    (void)len;
    fd = dir->files->openat(dir->fd, temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return DSND_ERR_IO;
    err = fill_copy(dir, tail, fd);
    if (!err && dir->files->renameat(dir->fd, temporary, dir->fd, name) != 0)
        err = DSND_ERR_IO;
    saved = errno;
    if (err)
        (void)dir->files->unlinkat(dir->fd, temporary, 0);
    journal_files_close(fd);
    errno = saved;
    return err;
}
