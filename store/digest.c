#include "store/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static enum dsnd_err begin(EVP_MD_CTX **ret_context)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (!context)
        return DSND_ERR_NOMEM;
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return DSND_ERR_NOMEM;
    }
    *ret_context = context;
    return DSND_OK;
}

static enum dsnd_err add(EVP_MD_CTX *context, struct dsnd_str octets)
{
    return octets.len == 0 || EVP_DigestUpdate(context, octets.ptr, octets.len) == 1
               ? DSND_OK
               : DSND_ERR_NOMEM;
}

static enum dsnd_err add_lower(EVP_MD_CTX *context, struct dsnd_str octets)
{
    enum dsnd_err err = DSND_OK;
    char chunk[256];

    for (size_t at = 0; at < octets.len && !err;) {
        size_t n = octets.len - at < sizeof(chunk) ? octets.len - at : sizeof(chunk);

        for (size_t i = 0; i < n; i++)
            chunk[i] = dsnd_lower(octets.ptr[at + i]);
        err = add(context, dsnd_str_make(chunk, n));
        at += n;
    }
    return err;
}

static enum dsnd_err end(EVP_MD_CTX *context, struct store_hash *ret_hash)
{
    return EVP_DigestFinal_ex(context, ret_hash->octets, NULL) == 1 ? DSND_OK : DSND_ERR_NOMEM;
}

enum dsnd_err store_hash_of(const struct dsnd_str *parts, size_t count, struct store_hash *ret_hash)
{
    EVP_MD_CTX *context = NULL;
    enum dsnd_err err = begin(&context);

    for (size_t i = 0; i < count && !err; i++)
        err = add(context, parts[i]);
    if (!err)
        err = end(context, ret_hash);
    EVP_MD_CTX_free(context);
    return err;
}

enum dsnd_err store_address_hash(struct dsnd_str address, struct store_hash *ret_hash)
{
    EVP_MD_CTX *context = NULL;
    enum dsnd_err err = begin(&context);

    if (!err)
        err = add_lower(context, address);
    if (!err)
        err = end(context, ret_hash);
    EVP_MD_CTX_free(context);
    return err;
}

int64_t store_hash_key(const struct store_hash *hash)
{
    uint64_t key = 0;

    for (size_t i = 0; i < sizeof(key); i++)
        key = key << 8 | hash->octets[i];
    return (int64_t)key;
}

/* Fields that the way of a message adds to it (RFC 5321 section 4.4, RFC 8601, RFC 8617). */
static bool is_trace(struct dsnd_str line)
{
    static const struct dsnd_str names[] = {
        DSND_STR_INIT("Received:"),
        DSND_STR_INIT("X-Received:"),
        DSND_STR_INIT("Return-Path:"),
        DSND_STR_INIT("Delivered-To:"),
        DSND_STR_INIT("X-Original-To:"),
        DSND_STR_INIT("Envelope-To:"),
        DSND_STR_INIT("Received-SPF:"),
        DSND_STR_INIT("Authentication-Results:"),
        DSND_STR_INIT("ARC-Seal:"),
        DSND_STR_INIT("ARC-Message-Signature:"),
        DSND_STR_INIT("ARC-Authentication-Results:"),
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (dsnd_str_istarts(line, names[i]))
            return true;
    return false;
}

static enum dsnd_err add_message(EVP_MD_CTX *context, struct dsnd_str rest)
{
    enum dsnd_err err = DSND_OK;
    bool skip = false;

    while (rest.len && !err) {
        const char *start = rest.ptr;
        struct dsnd_str line = dsnd_str_line(&rest);
        size_t whole = dsnd_str_present(rest) ? (size_t)(rest.ptr - start) : line.len;

        if (line.len == 0) {
            err = add(context, dsnd_str_make(start, whole));
            break;
        }
        if (line.ptr[0] != ' ' && line.ptr[0] != '\t')
            skip = is_trace(line);
        if (!skip)
            err = add(context, dsnd_str_make(start, whole));
    }
    return err ? err : add(context, rest);
}

static int compare_folded(const void *a, const void *b)
{
    struct dsnd_str x = *(const struct dsnd_str *)a;
    struct dsnd_str y = *(const struct dsnd_str *)b;
    size_t n = x.len < y.len ? x.len : y.len;

    for (size_t i = 0; i < n; i++) {
        int d = (unsigned char)dsnd_lower(x.ptr[i]) - (unsigned char)dsnd_lower(y.ptr[i]);

        if (d)
            return d;
    }
    return x.len < y.len ? -1 : x.len > y.len;
}

static enum dsnd_err add_recipients(EVP_MD_CTX *context, const struct dsnd_str *to, size_t count)
{
    struct dsnd_str *sorted;
    enum dsnd_err err = DSND_OK;

    if (count == 0)
        return DSND_OK;
    sorted = calloc(count, sizeof(*sorted));
    if (!sorted)
        return DSND_ERR_NOMEM;
    memcpy(sorted, to, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_folded);
    for (size_t i = 0; i < count && !err; i++) {
        err = add_lower(context, sorted[i]);
        if (!err)
            err = add(context, DSND_STR("\n"));
    }
    free(sorted);
    return err;
}

enum dsnd_err store_content_hash(struct dsnd_str octets, const struct dsnd_str *envelope_to,
                                 size_t envelope_to_count, struct store_hash *ret_hash)
{
    EVP_MD_CTX *context = NULL;
    enum dsnd_err err = begin(&context);

    if (!err)
        err = add_recipients(context, envelope_to, envelope_to_count);
    if (!err)
        err = add(context, DSND_STR("\n"));
    if (!err)
        err = add_message(context, octets);
    if (!err)
        err = end(context, ret_hash);
    EVP_MD_CTX_free(context);
    return err;
}
