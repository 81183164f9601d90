#include "ingest/tls.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "ingest/tls_ticket.h"

/* Mozilla's "intermediate" for TLS 1.2; the suites of TLS 1.3 are all good. */
#define TLS12_CIPHERS                                            \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" \
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:"       \
    "DHE-RSA-CHACHA20-POLY1305"

enum { PAIRS_MAX = 16, FILE_NAME_SIZE = 4096 };

struct tls_context {
    struct tls_tickets *tickets;
    SSL_CTX *at[PAIRS_MAX]; /* the first for clients that name no host we know */
    size_t count;
};

/* A stream is an SSL, without a struct of our own around. */
static SSL *ssl_of(struct tls_stream *self)
{
    return (SSL *)(void *)self;
}

static void describe(char *error, size_t size, const char *what, const char *file)
{
    char text[128];
    unsigned long first = ERR_peek_error(); /* those behind it follow from it */
    const char *cause = ERR_SYSTEM_ERROR(first)
                            ? strerror_r(ERR_GET_REASON(first), text, sizeof(text))
                            : ERR_reason_error_string(first);

    (void)snprintf(error, size, "%s %s: %s", what, file, cause ? cause : "cannot be read");
    ERR_clear_error();
}

/* OpenSSL compares a key with a certificate of its own kind, and misses one of its kind else. */
static enum dsnd_err refuse_key(const char *cert_file, const char *key_file, char *error,
                                size_t error_size)
{
    unsigned long code = ERR_peek_last_error();

    if (ERR_GET_LIB(code) != ERR_LIB_X509 &&
        ERR_GET_REASON(code) != SSL_R_NO_CERTIFICATE_ASSIGNED) {
        describe(error, error_size, "key", key_file);
        return DSND_ERR_SYNTAX;
    }
    (void)snprintf(error, error_size, "key %s does not belong to certificate %s", key_file,
                   cert_file);
    ERR_clear_error();
    return DSND_ERR_CONFLICT;
}

static SSL_CTX *new_ctx(void)
{
    static const unsigned char id[] = "dsnd";
    char groups[] = "X25519:P-256:P-384"; /* the macro below casts const away */
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (!ctx)
        return NULL;
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets instead */
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_cipher_list(ctx, TLS12_CIPHERS) == 1 &&
        SSL_CTX_set1_groups_list(ctx, groups) == 1 && SSL_CTX_set_dh_auto(ctx, 1) == 1 &&
        SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
        SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) == 1)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

static enum dsnd_err load_pair(const char *cert_file, const char *key_file, char *error,
                               size_t error_size, SSL_CTX **ret_ctx)
{
    enum dsnd_err err = DSND_OK;
    SSL_CTX *ctx;

    ERR_clear_error();
    ctx = new_ctx();
    if (!ctx) {
        describe(error, error_size, "TLS", "library");
        return DSND_ERR_NOMEM;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1) {
        describe(error, error_size, "certificate", cert_file);
        err = DSND_ERR_SYNTAX;
    } else if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
               SSL_CTX_check_private_key(ctx) != 1) {
        err = refuse_key(cert_file, key_file, error, error_size);
    }
    if (err)
        SSL_CTX_free(ctx);
    else
        *ret_ctx = ctx;
    return err;
}

/* The certificate that names the host the client asks for (RFC 6066 section 3). */
static int on_server_name(SSL *ssl, int *alert, void *context)
{
    const struct tls_context *self = context;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    for (size_t i = 0; name && i < self->count; i++) {
        if (X509_check_host(SSL_CTX_get0_certificate(self->at[i]), name, 0, 0, NULL) == 1) {
            (void)SSL_set_SSL_CTX(ssl, self->at[i]);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

static enum dsnd_err add_pair(struct tls_context *self, struct dsnd_str cert, struct dsnd_str key,
                              char *error, size_t error_size)
{
    char cert_file[FILE_NAME_SIZE];
    char key_file[FILE_NAME_SIZE];
    enum dsnd_err err = DSND_OK;

    if (self->count == PAIRS_MAX || !cert.len || !key.len ||
        dsnd_str_copy(cert, cert_file, sizeof(cert_file)) ||
        dsnd_str_copy(key, key_file, sizeof(key_file))) {
        (void)snprintf(error, error_size,
                       "want as many keys as certificates, at most %d, in the same order",
                       PAIRS_MAX);
        return DSND_ERR_SYNTAX;
    }
    err = load_pair(cert_file, key_file, error, error_size, &self->at[self->count]);
    if (!err)
        err = tls_tickets_use(self->tickets, self->at[self->count++]);
    return err;
}

static enum dsnd_err add_pairs(struct tls_context *self, struct dsnd_str certs,
                               struct dsnd_str keys, char *error, size_t error_size)
{
    enum dsnd_err err = DSND_OK;

    while (!err && (dsnd_str_present(certs) || dsnd_str_present(keys)))
        err = add_pair(self, dsnd_str_trim(dsnd_str_cut(&certs, ',')),
                       dsnd_str_trim(dsnd_str_cut(&keys, ',')), error, error_size);
    return err;
}

enum dsnd_err tls_context_new(const char *cert_files, const char *key_files, char *error,
                              size_t error_size, struct tls_context **ret_context)
{
    struct tls_context *self = calloc(1, sizeof(*self));
    enum dsnd_err err = self ? DSND_OK : DSND_ERR_NOMEM;

    (void)snprintf(error, error_size, "%s", dsnd_err_text(DSND_ERR_NOMEM));
    if (!err)
        err = tls_tickets_new(dsnd_clock_monotonic_ms, &self->tickets);
    if (!err)
        err = add_pairs(self, dsnd_str_of(cert_files), dsnd_str_of(key_files), error, error_size);
    if (err) {
        tls_context_free(self);
        return err;
    }
    (void)SSL_CTX_set_tlsext_servername_callback(self->at[0], on_server_name);
    (void)SSL_CTX_set_tlsext_servername_arg(self->at[0], self);
    *ret_context = self;
    return DSND_OK;
}

void tls_context_free(struct tls_context *self)
{
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++)
        SSL_CTX_free(self->at[i]);
    tls_tickets_free(self->tickets);
    free(self);
}

int64_t tls_context_not_after(const struct tls_context *self)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < self->count; i++) {
        X509 *cert = SSL_CTX_get0_certificate(self->at[i]);
        struct tm tm = {0};
        int64_t end = 0;

        if (cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1)
            end = (int64_t)timegm(&tm);
        if (end < first)
            first = end;
    }
    return first;
}

enum dsnd_err tls_stream_new(struct tls_context *context, int fd, struct tls_stream **ret_stream)
{
    SSL *ssl = SSL_new(context->at[0]);

    if (!ssl)
        return DSND_ERR_NOMEM;
    if (SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return DSND_ERR_NOMEM;
    }
    SSL_set_accept_state(ssl);
    *ret_stream = (struct tls_stream *)(void *)ssl;
    return DSND_OK;
}

void tls_stream_free(struct tls_stream *self)
{
    SSL_free(ssl_of(self));
}

static enum tls_status status_of(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    ERR_clear_error();
    switch (error) {
    case SSL_ERROR_NONE:
        return TLS_OK;
    case SSL_ERROR_WANT_READ:
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    default:
        return TLS_FAILED;
    }
}

enum tls_status tls_stream_handshake(struct tls_stream *self)
{
    ERR_clear_error();
    return status_of(ssl_of(self), SSL_do_handshake(ssl_of(self)));
}

static int clip(size_t size)
{
    return size < INT_MAX ? (int)size : INT_MAX;
}

enum tls_status tls_stream_read(struct tls_stream *self, char *dst, size_t size, size_t *ret_len)
{
    int n;

    ERR_clear_error();
    n = SSL_read(ssl_of(self), dst, clip(size));
    if (n > 0)
        *ret_len = (size_t)n;
    return status_of(ssl_of(self), n);
}

bool tls_stream_holds(const struct tls_stream *self)
{
    return SSL_pending((const SSL *)self) > 0;
}

enum tls_status tls_stream_write(struct tls_stream *self, struct dsnd_str octets, size_t *ret_len)
{
    int n;

    ERR_clear_error();
    n = SSL_write(ssl_of(self), octets.ptr, clip(octets.len));
    if (n > 0)
        *ret_len = (size_t)n;
    return status_of(ssl_of(self), n);
}

void tls_stream_shutdown(struct tls_stream *self)
{
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_of(self)))
        (void)SSL_shutdown(ssl_of(self));
    ERR_clear_error();
}
