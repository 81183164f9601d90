#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILE_CHUNK_OCTETS = 64 * 1024 };

/* Read up to one chunk; `*ret_count` is 0 at the end of the file. */
static enum dsnd_err read_chunk(int fd, struct dsnd_buf *out, size_t *ret_count)
{
    size_t room = out->max - out->len < FILE_CHUNK_OCTETS ? out->max - out->len : FILE_CHUNK_OCTETS;
    enum dsnd_err err = dsnd_buf_reserve(out, room);
    char probe;
    ssize_t n;

    if (err)
        return err;
    do /* a full buffer must still see whether the file ends here */
        n = room ? read(fd, out->ptr + out->len, room) : read(fd, &probe, 1);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return DSND_ERR_IO;
    if (n > 0 && !room)
        return DSND_ERR_LIMIT;
    out->len += (size_t)n;
    *ret_count = (size_t)n;
    return DSND_OK;
}

enum dsnd_err file_read(const char *path, struct dsnd_buf *out)
{
    size_t before = out->len;
    size_t count = 1;
    enum dsnd_err err = DSND_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int saved;

    if (fd < 0)
        return DSND_ERR_IO;
    while (!err && count)
        err = read_chunk(fd, out, &count);
    if (err)
        out->len = before;
    saved = errno;
    (void)close(fd);
    errno = saved;
    return err;
}
