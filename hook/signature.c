#include "hook/signature.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/buf.h"

static const char secret_prefix[] = "whsec_";
static const char signature_prefix[] = "v1,";

enum {
    KEY_OCTETS = 32,
    KEY_MIN = 24,
    KEY_MAX = 64,
    KEY_BASE64_MAX = 88,
    SIGNED_MAX = 16 * 1024 * 1024,
    MAC_OCTETS = 32,
};

enum dsnd_err hook_secret_new(char ret_secret[HOOK_SECRET_SIZE])
{
    unsigned char key[KEY_OCTETS];

    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
        return DSND_ERR_IO;
    memcpy(ret_secret, secret_prefix, sizeof(secret_prefix));
    (void)EVP_EncodeBlock((unsigned char *)ret_secret + sizeof(secret_prefix) - 1, key,
                          sizeof(key));
    explicit_bzero(key, sizeof(key));
    return DSND_OK;
}

static enum dsnd_err read_key(struct dsnd_str secret, unsigned char key[KEY_BASE64_MAX],
                              size_t *ret_len)
{
    size_t prefix = sizeof(secret_prefix) - 1;
    struct dsnd_str text;
    int len;

    if (secret.len < prefix || memcmp(secret.ptr, secret_prefix, prefix) != 0)
        return DSND_ERR_SYNTAX;
    text = dsnd_str_slice(secret, prefix, secret.len);
    if (text.len == 0 || text.len > KEY_BASE64_MAX)
        return DSND_ERR_SYNTAX;
    len = EVP_DecodeBlock(key, (const unsigned char *)text.ptr, (int)text.len);
    for (size_t i = text.len; len > 0 && i > 0 && text.ptr[i - 1] == '='; i--)
        len--; /* OpenSSL counts the padding as octets */
    if (len < KEY_MIN || len > KEY_MAX)
        return DSND_ERR_SYNTAX;
    *ret_len = (size_t)len;
    return DSND_OK;
}

static enum dsnd_err write_signed(struct dsnd_buf *out, struct dsnd_str id, int64_t timestamp,
                                  struct dsnd_str body)
{
    char middle[32];
    enum dsnd_err err = dsnd_buf_add(out, id);

    (void)snprintf(middle, sizeof(middle), ".%" PRId64 ".", timestamp);
    if (!err)
        err = dsnd_buf_add(out, dsnd_str_of(middle));
    return err ? err : dsnd_buf_add(out, body);
}

enum dsnd_err hook_sign(struct dsnd_str secret, struct dsnd_str id, int64_t timestamp,
                        struct dsnd_str body, char ret_signature[HOOK_SIGNATURE_SIZE])
{
    unsigned char key[KEY_BASE64_MAX];
    unsigned char mac[MAC_OCTETS];
    size_t key_len = 0;
    struct dsnd_buf text = DSND_BUF_INIT(SIGNED_MAX);
    struct dsnd_str all;
    enum dsnd_err err = read_key(secret, key, &key_len);

    if (!err)
        err = write_signed(&text, id, timestamp, body);
    if (err)
        goto out;
    all = dsnd_buf_str(&text);
    if (!HMAC(EVP_sha256(), key, (int)key_len, (const unsigned char *)all.ptr, all.len, mac,
              NULL)) {
        err = DSND_ERR_NOMEM;
        goto out;
    }
    memcpy(ret_signature, signature_prefix, sizeof(signature_prefix));
    (void)EVP_EncodeBlock((unsigned char *)ret_signature + sizeof(signature_prefix) - 1, mac,
                          sizeof(mac));
out:
    explicit_bzero(key, sizeof(key));
    dsnd_buf_done(&text);
    return err;
}
