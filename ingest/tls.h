/*
 * TLS on non-blocking sockets: 1.2 and 1.3 with the cipher suites of Mozilla's "intermediate"
 * profile, no client certificates, no renegotiation. A context is immutable and shared by threads;
 * a stream belongs to one thread. Writing to a closed socket raises SIGPIPE: threads block it.
 */
#ifndef DSND_INGEST_TLS_H
#define DSND_INGEST_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct tls_context;
struct tls_stream;

/* The result of an operation that could block. */
enum tls_status {
    TLS_OK,
    TLS_WANT_READ,  /* again when the socket is readable */
    TLS_WANT_WRITE, /* again when it is writable */
    TLS_CLOSED,     /* the peer closed */
    TLS_FAILED,     /* the stream cannot be used any more */
};

/*
 * Load certificate chains and their keys: names of PEM files, comma-separated, in the same order,
 * at most 16. A client gets the first whose certificate names the host it asks for, else the very
 * first. DSND_ERR_IO, DSND_ERR_SYNTAX, DSND_ERR_CONFLICT (a key does not belong to its
 * certificate), DSND_ERR_NOMEM; `error` then names file and cause.
 */
DSND_MUST_CHECK
enum dsnd_err tls_context_new(const char *cert_files, const char *key_files, char *error,
                              size_t error_size, struct tls_context **ret_context);
/* Not before the handshakes of its streams have ended; NULL is fine. */
void tls_context_free(struct tls_context *self);
/* When the first certificate expires: seconds since 1970 UTC; 0 when it does not say. */
int64_t tls_context_not_after(const struct tls_context *self);

/* A server's stream on the socket `fd`, which stays the caller's. DSND_ERR_NOMEM. */
DSND_MUST_CHECK
enum dsnd_err tls_stream_new(struct tls_context *context, int fd, struct tls_stream **ret_stream);
void tls_stream_free(struct tls_stream *self);

enum tls_status tls_stream_handshake(struct tls_stream *self);
/* TLS_OK: `*ret_len` octets, 1 to `size`, stand in `dst`. */
enum tls_status tls_stream_read(struct tls_stream *self, char *dst, size_t size, size_t *ret_len);
/* Octets were received that tls_stream_read has not given yet. */
bool tls_stream_holds(const struct tls_stream *self);
/* TLS_OK: `*ret_len` octets of `octets` were taken. `octets` must not be empty. */
enum tls_status tls_stream_write(struct tls_stream *self, struct dsnd_str octets, size_t *ret_len);
/* Tell the peer that nothing more comes; does not wait. */
void tls_stream_shutdown(struct tls_stream *self);

#endif
