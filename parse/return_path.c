#include "parse/return_path.h"

#include <stdio.h>
#include <string.h>

#include "parse/base32.h"
#include "parse/digest.h"
#include "parse/return_path_unwrap.h"

enum {
    DAY_CHARS = 3,
    MAC_CHARS = 16,
    TAIL_CHARS = DAY_CHARS + 1 + MAC_CHARS, /* day, key id, mac */
    HASH_CHARS = 13,
    DAY_LIMIT = 1 << (5 * DAY_CHARS),
    DOMAIN_MAX = 255,
    FUTURE_DAYS = 1,
    ADDRESS_MAX = 1024, /* of a recipient, and of a return path in its wrapping */
};

static const int64_t day_us = INT64_C(86400) * 1000000;
static const int64_t first_day = 18262; /* 2020-01-01, in days since 1970-01-01 */

/* Days since 2020-01-01 UTC; negative before. */
static int64_t day_of(int64_t now_us)
{
    return now_us / day_us - (now_us % day_us < 0) - first_day;
}

static bool is_word(struct dsnd_str s, size_t max)
{
    if (s.len == 0 || s.len > max)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!dsnd_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* Lower-case letters, digits, hyphens and single dots inside. */
static bool is_domain(struct dsnd_str s)
{
    char before = '.';

    if (s.len == 0 || s.len > DOMAIN_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!dsnd_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && (c != '.' || before == '.'))
            return false;
        before = c;
    }
    return before != '.';
}

bool return_path_is_default_ref(struct dsnd_str ref)
{
    return ref.len == 1 + HASH_CHARS && ref.ptr[0] == 'h' && base32_is(ref.ptr + 1, HASH_CHARS);
}

bool return_path_is_own_ref(struct dsnd_str ref)
{
    return is_word(ref, RETURN_PATH_REF_MAX) &&
           !return_path_is_default_ref(dsnd_str_slice(ref, 0, 1 + HASH_CHARS));
}

static void fold(struct dsnd_str s, char *dst)
{
    for (size_t i = 0; i < s.len; i++)
        dst[i] = dsnd_lower(s.ptr[i]);
}

enum dsnd_err return_path_default_ref(struct dsnd_str address,
                                      char ret_ref[RETURN_PATH_REF_MAX + 1])
{
    char folded[ADDRESS_MAX];
    unsigned char digest[DIGEST_OCTETS];
    enum dsnd_err err;

    if (address.len == 0)
        return DSND_ERR_SYNTAX;
    if (address.len > sizeof(folded))
        return DSND_ERR_LIMIT;
    fold(address, folded);
    err = digest_sha256(dsnd_str_make(folded, address.len), digest);
    if (err)
        return err;
    ret_ref[0] = 'h';
    base32_encode(digest, HASH_CHARS, ret_ref + 1);
    ret_ref[1 + HASH_CHARS] = '\0';
    return DSND_OK;
}

/* The mac over `r1.<campaign>.<ref>.<day>@<domain>`; `day` is three characters, not terminated. */
static enum dsnd_err sign(const struct return_path_key *key, const struct return_path *path,
                          const char *day, char mac[MAC_CHARS])
{
    char text[RETURN_PATH_SIZE];
    unsigned char digest[DIGEST_OCTETS];
    enum dsnd_err err;
    int len = snprintf(text, sizeof(text), "r1.%s.%s.%.*s@%s", path->campaign, path->ref, DAY_CHARS,
                       day, path->domain);

    if (len < 0 || (size_t)len >= sizeof(text))
        return DSND_ERR_LIMIT;
    err = digest_hmac_sha256(dsnd_str_make((const char *)key->octets, sizeof(key->octets)),
                             dsnd_str_make(text, (size_t)len), digest);
    if (err)
        return err;
    base32_encode(digest, MAC_CHARS, mac);
    return DSND_OK;
}

static enum dsnd_err choose_ref(struct dsnd_str recipient, struct dsnd_str ref,
                                char ret_ref[RETURN_PATH_REF_MAX + 1])
{
    if (!dsnd_str_present(ref))
        return return_path_default_ref(recipient, ret_ref);
    if (!is_word(ref, RETURN_PATH_REF_MAX))
        return DSND_ERR_SYNTAX;
    if (!return_path_is_own_ref(ref))
        return DSND_ERR_CONFLICT;
    return dsnd_str_copy(ref, ret_ref, RETURN_PATH_REF_MAX + 1);
}

static enum dsnd_err choose_domain(struct dsnd_str domain, char ret_domain[DOMAIN_MAX + 1])
{
    if (domain.len > DOMAIN_MAX)
        return DSND_ERR_LIMIT;
    fold(domain, ret_domain);
    ret_domain[domain.len] = '\0';
    return is_domain(dsnd_str_make(ret_domain, domain.len)) ? DSND_OK : DSND_ERR_SYNTAX;
}

enum dsnd_err return_path_mint(const struct return_path_keys *keys,
                               const struct return_path_request *request, int64_t now_us,
                               char ret_address[RETURN_PATH_SIZE])
{
    struct return_path path;
    char day[DAY_CHARS];
    char mac[MAC_CHARS];
    int64_t today = day_of(now_us);
    enum dsnd_err err;

    if (keys->count == 0)
        return DSND_ERR_REFUSED;
    if (today < 0 || today >= DAY_LIMIT)
        return DSND_ERR_LIMIT;
    if (!is_word(request->campaign, RETURN_PATH_CAMPAIGN_MAX))
        return DSND_ERR_SYNTAX;
    err = dsnd_str_copy(request->campaign, path.campaign, sizeof(path.campaign));
    if (!err)
        err = choose_ref(request->recipient, request->ref, path.ref);
    if (!err)
        err = choose_domain(request->domain, path.domain);
    if (err)
        return err;
    for (unsigned i = 0; i < DAY_CHARS; i++)
        day[i] = base32_char((uint32_t)today >> (5 * (DAY_CHARS - 1 - i)));
    err = sign(&keys->key[0], &path, day, mac);
    if (err)
        return err;
    (void)snprintf(ret_address, RETURN_PATH_SIZE, "r1.%s.%s.%.*s%c%.*s@%s", path.campaign, path.ref,
                   DAY_CHARS, day, keys->key[0].id, MAC_CHARS, mac, path.domain);
    return DSND_OK;
}

/* The folded local part and domain by the grammar; false where they break it. */
static bool read_parts(struct return_path_parts parts, struct return_path *path,
                       struct dsnd_str *ret_tail)
{
    struct dsnd_str local = parts.local;
    struct dsnd_str version = dsnd_str_cut(&local, '.');
    struct dsnd_str campaign = dsnd_str_cut(&local, '.');
    struct dsnd_str ref = dsnd_str_cut(&local, '.');

    if (!dsnd_str_eq(version, DSND_STR("r1")) || !is_word(campaign, RETURN_PATH_CAMPAIGN_MAX) ||
        !is_word(ref, RETURN_PATH_REF_MAX) || !is_domain(parts.domain))
        return false;
    if (local.len != TAIL_CHARS || !base32_is(local.ptr, DAY_CHARS) ||
        !is_word(dsnd_str_slice(local, DAY_CHARS, DAY_CHARS + 1), 1) ||
        !base32_is(local.ptr + DAY_CHARS + 1, MAC_CHARS))
        return false;
    if (dsnd_str_copy(campaign, path->campaign, sizeof(path->campaign)) ||
        dsnd_str_copy(ref, path->ref, sizeof(path->ref)) ||
        dsnd_str_copy(parts.domain, path->domain, sizeof(path->domain)))
        return false;
    path->ref_is_hash = return_path_is_default_ref(ref);
    path->key_id = local.ptr[DAY_CHARS];
    path->day = 0;
    for (unsigned i = 0; i < DAY_CHARS; i++)
        path->day = path->day << 5 | (uint32_t)base32_value(local.ptr[i]);
    *ret_tail = local;
    return true;
}

static bool is_ours(const struct return_path_keys *keys, const struct return_path *path,
                    struct dsnd_str tail)
{
    char mac[MAC_CHARS];

    for (size_t i = 0; i < keys->count; i++)
        if (keys->key[i].id == path->key_id)
            return sign(&keys->key[i], path, tail.ptr, mac) == DSND_OK &&
                   digest_equal(mac, tail.ptr + DAY_CHARS + 1, MAC_CHARS);
    return false;
}

/* The day of minting counts whole: what was minted in its last minute is as old as its first. */
static bool is_expired(const struct return_path *path, int64_t now_us, int64_t max_age_us)
{
    int64_t age_days = day_of(now_us) - (int64_t)path->day;
    int64_t max_days = max_age_us / day_us + (max_age_us % day_us > 0);

    return age_days > max_days || age_days < -FUTURE_DAYS;
}

void return_path_verify(const struct return_path_keys *keys, struct dsnd_str address,
                        int64_t now_us, int64_t max_age_us, struct return_path *ret_path)
{
    char folded[ADDRESS_MAX];
    struct return_path_parts parts;
    struct dsnd_str tail;
    size_t at;

    memset(ret_path, 0, sizeof(*ret_path));
    if (address.len > sizeof(folded))
        return;
    fold(address, folded);
    address = dsnd_str_make(folded, address.len);
    at = dsnd_str_rchr(address, '@');
    if (at == SIZE_MAX)
        return;
    parts.local = dsnd_str_slice(address, 0, at);
    parts.domain = dsnd_str_slice(address, at + 1, address.len);
    return_path_unwrap(&parts);
    if (!read_parts(parts, ret_path, &tail)) {
        memset(ret_path, 0, sizeof(*ret_path));
        return;
    }
    if (!is_ours(keys, ret_path, tail))
        ret_path->verdict = RETURN_PATH_FORGED;
    else if (is_expired(ret_path, now_us, max_age_us))
        ret_path->verdict = RETURN_PATH_EXPIRED;
    else
        ret_path->verdict = RETURN_PATH_SIGNED;
}

bool return_path_proves(const struct return_path *path, struct dsnd_str address)
{
    char ref[RETURN_PATH_REF_MAX + 1];

    if (path->verdict != RETURN_PATH_SIGNED || !path->ref_is_hash)
        return false;
    if (return_path_default_ref(address, ref))
        return false;
    return digest_equal(ref, path->ref, 1 + HASH_CHARS);
}
