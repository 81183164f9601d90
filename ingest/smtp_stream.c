#include "ingest/smtp_stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

void smtp_stream_init(struct smtp_stream *self, int fd)
{
    *self = (struct smtp_stream){.fd = fd};
}

void smtp_stream_done(struct smtp_stream *self)
{
    if (self->tls)
        tls_stream_free(self->tls);
    self->tls = NULL;
    if (self->fd >= 0)
        (void)close(self->fd);
    self->fd = -1;
}

enum dsnd_err smtp_stream_secure(struct smtp_stream *self, struct tls_context *context)
{
    return tls_stream_new(context, self->fd, &self->tls);
}

static enum smtp_io of_tls(struct smtp_stream *self, enum tls_status status)
{
    switch (status) {
    case TLS_OK:
        return SMTP_IO_OK;
    case TLS_WANT_READ:
        return SMTP_IO_AGAIN;
    case TLS_WANT_WRITE:
        self->wants_write = true;
        return SMTP_IO_AGAIN;
    case TLS_CLOSED:
        return SMTP_IO_EOF;
    case TLS_FAILED:
        break;
    }
    return SMTP_IO_FAILED;
}

/* The result of a system call that moved `n` octets. */
static enum smtp_io of_count(ssize_t n, size_t *ret_len)
{
    if (n > 0) {
        *ret_len = (size_t)n;
        return SMTP_IO_OK;
    }
    if (n == 0)
        return SMTP_IO_EOF;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return SMTP_IO_AGAIN;
    return SMTP_IO_FAILED;
}

enum smtp_io smtp_stream_handshake(struct smtp_stream *self)
{
    self->wants_write = false;
    return of_tls(self, tls_stream_handshake(self->tls));
}

enum smtp_io smtp_stream_read(struct smtp_stream *self, char *dst, size_t size, size_t *ret_len)
{
    if (self->tls)
        return of_tls(self, tls_stream_read(self->tls, dst, size, ret_len));
    return of_count(recv(self->fd, dst, size, 0), ret_len);
}

bool smtp_stream_holds(const struct smtp_stream *self)
{
    return self->tls && tls_stream_holds(self->tls);
}

enum smtp_io smtp_stream_write(struct smtp_stream *self, struct dsnd_str octets, size_t *ret_len)
{
    if (self->tls)
        return of_tls(self, tls_stream_write(self->tls, octets, ret_len));
    return of_count(send(self->fd, octets.ptr, octets.len, MSG_NOSIGNAL), ret_len);
}

void smtp_stream_shutdown(struct smtp_stream *self)
{
    if (self->tls)
        tls_stream_shutdown(self->tls);
    (void)shutdown(self->fd, SHUT_WR);
}

enum smtp_io smtp_stream_discard(struct smtp_stream *self, char *scratch, size_t size)
{
    size_t len;

    return of_count(recv(self->fd, scratch, size, 0), &len);
}

enum smtp_io smtp_stream_peek(struct smtp_stream *self, char *dst, size_t size, size_t *ret_len)
{
    return of_count(recv(self->fd, dst, size, MSG_PEEK), ret_len);
}

bool smtp_stream_ended(const struct smtp_stream *self)
{
    struct pollfd look = {.fd = self->fd, .events = POLLRDHUP};

    return poll(&look, 1, 0) > 0;
}

void smtp_stream_await(struct smtp_stream *self, size_t octets)
{
    int low = (int)octets;

    /* Where it fails the peek merely comes too early. */
    (void)setsockopt(self->fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low));
}
