#include "ingest/tls_check.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/str.h"

enum { FILE_NAME_SIZE = 4096, CHAIN_MAX = 16 };

struct tls_chain {
    X509 *at[CHAIN_MAX]; /* its own certificate first */
    int count;
};

void tls_chain_free(struct tls_chain *self)
{
    if (!self)
        return;
    for (int i = 0; i < self->count; i++)
        X509_free(self->at[i]);
    free(self);
}

static struct tls_chain *load(const char *file)
{
    struct tls_chain *self = calloc(1, sizeof(*self));
    BIO *in = self ? BIO_new_file(file, "r") : NULL;
    X509 *one;

    while (in && self->count < CHAIN_MAX && (one = PEM_read_bio_X509(in, NULL, NULL, NULL)))
        self->at[self->count++] = one;
    BIO_free(in);
    ERR_clear_error();
    if (self && self->count)
        return self;
    tls_chain_free(self);
    return NULL;
}

enum dsnd_err tls_chain_load(const char *cert_files, const char *host, struct tls_chain **ret_chain)
{
    struct dsnd_str rest = dsnd_str_of(cert_files);
    struct tls_chain *first = NULL;
    char file[FILE_NAME_SIZE];

    *ret_chain = NULL;
    while (dsnd_str_present(rest)) {
        struct tls_chain *chain = NULL;

        if (!dsnd_str_copy(dsnd_str_trim(dsnd_str_cut(&rest, ',')), file, sizeof(file)))
            chain = load(file);
        if (chain && X509_check_host(chain->at[0], host, 0, 0, NULL) == 1) {
            tls_chain_free(first);
            *ret_chain = chain;
            return DSND_OK;
        }
        if (first)
            tls_chain_free(chain);
        else
            first = chain;
    }
    *ret_chain = first;
    return first ? DSND_ERR_NOT_FOUND : DSND_ERR_SYNTAX;
}

static int verify(X509_STORE *roots, X509_STORE_CTX *check, STACK_OF(X509) * issuers,
                  const struct tls_chain *chain)
{
    if (X509_STORE_set_default_paths(roots) != 1 ||
        X509_STORE_CTX_init(check, roots, chain->at[0], issuers) != 1 ||
        X509_STORE_CTX_set_purpose(check, X509_PURPOSE_SSL_SERVER) != 1)
        return X509_V_ERR_UNSPECIFIED;
    return X509_verify_cert(check) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(check);
}

const char *tls_chain_doubt(const struct tls_chain *self)
{
    X509_STORE *roots = X509_STORE_new();
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    STACK_OF(X509) *issuers = sk_X509_new_null();
    int result = X509_V_ERR_OUT_OF_MEM;

    for (int i = 1; issuers && i < self->count; i++)
        (void)sk_X509_push(issuers, self->at[i]);
    if (roots && check && issuers)
        result = verify(roots, check, issuers, self);
    X509_STORE_CTX_free(check);
    X509_STORE_free(roots);
    sk_X509_free(issuers);
    ERR_clear_error();
    return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}

/* What the record would hold of this certificate (RFC 6698 section 2.1), or 0 octets. */
static size_t excerpt(X509 *cert, const struct tls_tlsa *record,
                      unsigned char ret_digest[EVP_MAX_MD_SIZE], unsigned char **ret_der)
{
    const EVP_MD *digest = record->matching == 1   ? EVP_sha256()
                           : record->matching == 2 ? EVP_sha512()
                                                   : NULL;
    unsigned len = 0;
    int der_len = record->selector == 0 ? i2d_X509(cert, ret_der)
                                        : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), ret_der);

    if (der_len <= 0 || record->selector > 1 || record->matching > 2)
        return 0;
    if (!digest)
        return (size_t)der_len;
    if (EVP_Digest(*ret_der, (size_t)der_len, ret_digest, &len, digest, NULL) != 1)
        return 0;
    return len;
}

static bool matches(X509 *cert, const struct tls_tlsa *record)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char *der = NULL;
    size_t len = excerpt(cert, record, digest, &der);
    bool same = len && len == record->len &&
                memcmp(record->matching ? digest : der, record->octets, len) == 0;

    OPENSSL_free(der);
    return same;
}

bool tls_chain_matches(const struct tls_chain *self, const struct tls_tlsa *record)
{
    bool own = record->usage == 1 || record->usage == 3;

    for (int i = own ? 0 : 1; i < (own ? 1 : self->count); i++)
        if (matches(self->at[i], record))
            return true;
    return false;
}
