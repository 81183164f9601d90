#include "api/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static const char base32_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum dsnd_err digest_sha256(struct dsnd_str octets, unsigned char ret_digest[DIGEST_OCTETS])
{
    unsigned len = 0;

    if (EVP_Digest(octets.ptr ? octets.ptr : "", octets.len, ret_digest, &len, EVP_sha256(),
                   NULL) != 1)
        return DSND_ERR_NOMEM;
    return DSND_OK;
}

void digest_hex(const unsigned char digest[DIGEST_OCTETS], char ret_hex[DIGEST_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_OCTETS; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[2 * DIGEST_OCTETS] = '\0';
}

bool digest_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

enum dsnd_err digest_random(unsigned char *dst, size_t len)
{
    if (len > INT32_MAX || RAND_bytes(dst, (int)len) != 1)
        return DSND_ERR_IO;
    return DSND_OK;
}

/* Print octets in groups of `bits`, most significant first; the last group is filled with zeros. */
static enum dsnd_err encode(struct dsnd_str octets, const char *alphabet, unsigned bits,
                            struct dsnd_buf *out)
{
    uint32_t held = 0;
    unsigned count = 0;
    enum dsnd_err err = DSND_OK;

    for (size_t i = 0; i < octets.len && !err; i++) {
        held = held << 8 | (unsigned char)octets.ptr[i];
        count += 8;
        while (count >= bits && !err) {
            count -= bits;
            err = dsnd_buf_add_char(out, alphabet[held >> count & ((1u << bits) - 1)]);
        }
        held &= (1u << count) - 1;
    }
    if (count > 0 && !err)
        err = dsnd_buf_add_char(out, alphabet[held << (bits - count) & ((1u << bits) - 1)]);
    return err;
}

enum dsnd_err digest_base32(struct dsnd_str octets, struct dsnd_buf *out)
{
    return encode(octets, base32_alphabet, 5, out);
}

enum dsnd_err digest_base64url(struct dsnd_str octets, struct dsnd_buf *out)
{
    return encode(octets, base64_alphabet, 6, out);
}

enum dsnd_err digest_base64url_decode(struct dsnd_str text, struct dsnd_buf *out)
{
    struct dsnd_str alphabet = dsnd_str_of(base64_alphabet);
    uint32_t held = 0;
    unsigned count = 0;

    for (size_t i = 0; i < text.len; i++) {
        size_t value = dsnd_str_chr(alphabet, text.ptr[i]);
        enum dsnd_err err;

        if (value == SIZE_MAX)
            return DSND_ERR_SYNTAX;
        held = held << 6 | (uint32_t)value;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        err = dsnd_buf_add_char(out, (char)(held >> count & 0xff));
        if (err)
            return err;
        held &= (1u << count) - 1;
    }
    return held != 0 || count >= 6 ? DSND_ERR_SYNTAX : DSND_OK;
}
