/*
 * A non-blocking socket, in the clear or inside TLS. Belongs to one thread.
 */
#ifndef DSND_INGEST_SMTP_STREAM_H
#define DSND_INGEST_SMTP_STREAM_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "ingest/tls.h"

enum smtp_io {
    SMTP_IO_OK,
    SMTP_IO_AGAIN, /* nothing more can be read or written now */
    SMTP_IO_EOF,   /* the peer closed */
    SMTP_IO_FAILED,
};

struct smtp_stream {
    int fd;                 /* owned; -1 when closed */
    struct tls_stream *tls; /* NULL in the clear */
    bool wants_write;       /* TLS must write before it can go on reading; the caller clears it */
};

void smtp_stream_init(struct smtp_stream *self, int fd);
/* Closes the socket. */
void smtp_stream_done(struct smtp_stream *self);

/* From now on everything goes through TLS, the handshake first. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err smtp_stream_secure(struct smtp_stream *self, struct tls_context *context);
enum smtp_io smtp_stream_handshake(struct smtp_stream *self);

/* SMTP_IO_OK: `*ret_len` octets, 1 to `size`, stand in `dst`. */
enum smtp_io smtp_stream_read(struct smtp_stream *self, char *dst, size_t size, size_t *ret_len);
/* TLS holds octets to be read that the socket does not announce again. */
bool smtp_stream_holds(const struct smtp_stream *self);
/* SMTP_IO_OK: `*ret_len` octets were taken. `octets` must not be empty. */
enum smtp_io smtp_stream_write(struct smtp_stream *self, struct dsnd_str octets, size_t *ret_len);

/* Tell the peer that nothing more comes; do not wait. */
void smtp_stream_shutdown(struct smtp_stream *self);
/* Read past TLS and forget, into `scratch`. */
enum smtp_io smtp_stream_discard(struct smtp_stream *self, char *scratch, size_t size);

/* Octets that wait, left where they are; before TLS only. SMTP_IO_OK: `*ret_len` of them. */
enum smtp_io smtp_stream_peek(struct smtp_stream *self, char *dst, size_t size, size_t *ret_len);
/* The peer sends no more; what it sent may still wait, and makes the socket readable for ever. */
bool smtp_stream_ended(const struct smtp_stream *self);
/* Readable only once `octets` wait; 1 is the ordinary. */
void smtp_stream_await(struct smtp_stream *self, size_t octets);

#endif
