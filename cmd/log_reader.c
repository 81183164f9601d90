#include "cmd/log_reader.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum { CHUNK = 64 * 1024, ROOM = LOG_LINE_MAX + 2 * CHUNK };

static bool is_zstd(int fd)
{
    static const unsigned char magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    unsigned char front[sizeof(magic)];

    return pread(fd, front, sizeof(front), 0) == (ssize_t)sizeof(front) &&
           memcmp(front, magic, sizeof(magic)) == 0;
}

/* Append what can be had now to `buf`; DSND_ERR_NOT_FOUND where there is nothing. */
static enum dsnd_err fill_from_fd(struct log_reader *self, struct dsnd_buf *buf)
{
    struct pollfd ready = {.fd = self->fd, .events = POLLIN};
    enum dsnd_err err = dsnd_buf_reserve(buf, CHUNK);
    ssize_t got;

    if (err)
        return err;
    if (self->is_pipe && poll(&ready, 1, 0) <= 0)
        return DSND_ERR_NOT_FOUND;
    do
        got = read(self->fd, buf->ptr + buf->len, CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? DSND_ERR_NOT_FOUND : DSND_ERR_IO;
    if (got == 0) {
        self->ended = self->is_pipe;
        return DSND_ERR_NOT_FOUND;
    }
    buf->len += (size_t)got;
    return DSND_OK;
}

/* A file that is still written ends within a frame; its rest comes later. */
static enum dsnd_err fill_from_zstd(struct log_reader *self)
{
    ZSTD_inBuffer in;
    ZSTD_outBuffer out;
    size_t left;
    enum dsnd_err err = dsnd_buf_reserve(&self->buf, CHUNK);

    if (!err && !self->packed.len && !self->holds_more)
        err = fill_from_fd(self, &self->packed);
    if (err)
        return err;
    in = (ZSTD_inBuffer){self->packed.ptr, self->packed.len, 0};
    out = (ZSTD_outBuffer){self->buf.ptr + self->buf.len, CHUNK, 0};
    left = ZSTD_decompressStream(self->zstd, &out, &in);
    if (ZSTD_isError(left))
        return DSND_ERR_CORRUPT;
    dsnd_buf_consume(&self->packed, in.pos);
    self->buf.len += out.pos;
    self->holds_more = out.pos == out.size;
    return DSND_OK;
}

static enum dsnd_err fill(struct log_reader *self)
{
    dsnd_buf_consume(&self->buf, self->taken);
    self->searched -= self->taken;
    self->taken = 0;
    return self->zstd ? fill_from_zstd(self) : fill_from_fd(self, &self->buf);
}

/* Zstd has no way to a place in the middle but all before it. */
static enum dsnd_err pass_over(struct log_reader *self, uint64_t octets)
{
    enum dsnd_err err = DSND_OK;

    while (octets && !err) {
        size_t part = octets < self->buf.len ? (size_t)octets : self->buf.len;

        dsnd_buf_consume(&self->buf, part);
        octets -= part;
        if (octets)
            err = fill(self);
    }
    return err == DSND_ERR_NOT_FOUND ? DSND_ERR_CORRUPT : err;
}

enum dsnd_err log_reader_open(struct log_reader *self, int fd, uint64_t offset, uint64_t lines)
{
    struct stat status;

    *self = (struct log_reader){
        .fd = fd,
        .offset = offset,
        .lines = lines,
        .buf = DSND_BUF_INIT(ROOM),
        .packed = DSND_BUF_INIT(2 * CHUNK),
    };
    if (fstat(fd, &status) != 0)
        return DSND_ERR_IO;
    self->is_pipe = !S_ISREG(status.st_mode);
    if (self->is_pipe)
        return DSND_OK;
    if (!is_zstd(fd))
        return lseek(fd, (off_t)offset, SEEK_SET) < 0 ? DSND_ERR_IO : DSND_OK;
    self->zstd = ZSTD_createDCtx();
    if (!self->zstd)
        return DSND_ERR_NOMEM;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return DSND_ERR_IO;
    return pass_over(self, offset);
}

void log_reader_close(struct log_reader *self)
{
    (void)ZSTD_freeDCtx(self->zstd);
    dsnd_buf_done(&self->buf);
    dsnd_buf_done(&self->packed);
    *self = (struct log_reader){.fd = -1};
}

/* `len` octets and the line end behind them, if it has one, are done with. */
static struct dsnd_str take(struct log_reader *self, size_t len, bool has_end)
{
    struct dsnd_str line = dsnd_str_make(self->buf.ptr + self->taken, len);

    self->taken += len + has_end;
    self->offset += len + has_end;
    self->searched = self->taken;
    return line;
}

/* The front of a line that is too long goes; its end will be looked for. */
static void pass_front(struct log_reader *self)
{
    (void)take(self, self->buf.len - self->taken, false);
    self->passing = true;
}

static enum dsnd_err finish_line(struct log_reader *self, size_t len, bool has_end,
                                 struct dsnd_str *ret_line)
{
    struct dsnd_str line = take(self, len, has_end);
    bool too_long = self->passing || len > LOG_LINE_MAX;

    self->lines++;
    self->passing = false;
    if (too_long)
        return DSND_ERR_LIMIT;
    *ret_line = line;
    return DSND_OK;
}

enum dsnd_err log_reader_next(struct log_reader *self, bool is_last, struct dsnd_str *ret_line)
{
    enum dsnd_err err = DSND_OK;

    for (;;) {
        const char *from = self->buf.ptr ? self->buf.ptr + self->searched : "";
        const char *end = memchr(from, '\n', self->buf.len - self->searched);
        size_t len = self->buf.len - self->taken;

        if (end)
            return finish_line(self, (size_t)(end - self->buf.ptr) - self->taken, true, ret_line);
        self->searched = self->buf.len;
        if (len > LOG_LINE_MAX)
            pass_front(self);
        err = fill(self);
        len = self->buf.len - self->taken;
        if (err == DSND_ERR_NOT_FOUND && (is_last || self->ended) && (len || self->passing))
            return finish_line(self, len, false, ret_line);
        if (err)
            return err;
    }
}
