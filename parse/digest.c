#include "parse/digest.h"

#include <assert.h>
#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum dsnd_err digest_sha256(struct dsnd_str octets, unsigned char ret_digest[DIGEST_OCTETS])
{
    if (EVP_Digest(octets.ptr, octets.len, ret_digest, NULL, EVP_sha256(), NULL) != 1)
        return DSND_ERR_NOMEM;
    return DSND_OK;
}

enum dsnd_err digest_hmac_sha256(struct dsnd_str key, struct dsnd_str octets,
                                 unsigned char ret_digest[DIGEST_OCTETS])
{
    const unsigned char *data = (const unsigned char *)octets.ptr;
    unsigned len = DIGEST_OCTETS;

    assert(key.len <= INT_MAX);
    if (!HMAC(EVP_sha256(), key.ptr, (int)key.len, data, octets.len, ret_digest, &len))
        return DSND_ERR_NOMEM;
    return DSND_OK;
}

bool digest_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
