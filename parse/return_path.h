/*
 * The signed return path: r1.<campaign>.<ref>.<day><key><mac>@<domain>. HMAC-SHA256 truncated to 80
 * bits, base32 (RFC 4648) in lower case without padding. Pure functions; the keys are immutable
 * after loading and may be shared by threads.
 */
#ifndef DSND_PARSE_RETURN_PATH_H
#define DSND_PARSE_RETURN_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    RETURN_PATH_KEYS_MAX = 16,
    RETURN_PATH_KEY_OCTETS = 32,
    RETURN_PATH_CAMPAIGN_MAX = 20,
    RETURN_PATH_REF_MAX = 16,
    RETURN_PATH_LOCAL_MAX = 64,
    RETURN_PATH_SIZE = 64 + 1 + 255 + 1, /* a whole address and its NUL */
};

struct return_path_key {
    char id; /* one base32 character or digit, [a-z0-9] */
    unsigned char octets[RETURN_PATH_KEY_OCTETS];
};

/* Newest first: the first mints, all verify. */
struct return_path_keys {
    struct return_path_key key[RETURN_PATH_KEYS_MAX];
    size_t count;
};

enum return_path_verdict {
    RETURN_PATH_NONE,    /* no return path of this form */
    RETURN_PATH_FORGED,  /* of this form, but no key of ours made it */
    RETURN_PATH_EXPIRED, /* ours, but older than max_age or more than one day in the future */
    RETURN_PATH_SIGNED,
};

struct return_path {
    enum return_path_verdict verdict;
    /* Lower case; empty where verdict is NONE. */
    char campaign[RETURN_PATH_CAMPAIGN_MAX + 1];
    char ref[RETURN_PATH_REF_MAX + 1];
    char domain[256];
    bool ref_is_hash; /* the ref is a default one: 'h' and 13 base32 characters */
    char key_id;
    uint32_t day; /* days since 2020-01-01 UTC when it was minted */
};

/*
 * Keys from the text of a keys file: a line a key, `id hex`; '#' begins a comment.
 * DSND_ERR_SYNTAX, DSND_ERR_LIMIT; `error` (of `error_size`) names line and what is allowed.
 */
DSND_MUST_CHECK
enum dsnd_err return_path_keys_read(struct dsnd_str text, char *error, size_t error_size,
                                    struct return_path_keys *ret_keys);

/* The default ref of an address: ASCII letters lower-cased, SHA-256, base32. */
DSND_MUST_CHECK
enum dsnd_err return_path_default_ref(struct dsnd_str address,
                                      char ret_ref[RETURN_PATH_REF_MAX + 1]);

/* The form of a default ref: 'h' and 13 base32 characters. */
bool return_path_is_default_ref(struct dsnd_str ref);
/* A sender's own id: 1 to 16 of [a-z0-9_-], and no default ref, nor one that goes on. */
bool return_path_is_own_ref(struct dsnd_str ref);

/* What to mint. All views are borrowed. */
struct return_path_request {
    struct dsnd_str campaign;
    struct dsnd_str recipient; /* for the default ref; may be absent where `ref` is given */
    struct dsnd_str ref;       /* the sender's own; absent: the default ref of `recipient` */
    struct dsnd_str domain;
};

/*
 * Mint with the first key. `now_us` is the wall clock.
 * DSND_ERR_SYNTAX: campaign, ref or domain breaks its form; DSND_ERR_REFUSED: there is no key;
 * DSND_ERR_CONFLICT: an own ref that begins as a default one; DSND_ERR_LIMIT: too long.
 */
DSND_MUST_CHECK
enum dsnd_err return_path_mint(const struct return_path_keys *keys,
                               const struct return_path_request *request, int64_t now_us,
                               char ret_address[RETURN_PATH_SIZE]);

/*
 * What `address` says, after BATV (prvs=) and SRS0/SRS1 wrapping is removed and case folded. Never
 * fails: the verdict says what it is. Signatures are compared in constant time.
 */
void return_path_verify(const struct return_path_keys *keys, struct dsnd_str address,
                        int64_t now_us, int64_t max_age_us, struct return_path *ret_path);

/* `address` (ASCII letters folded) is the one whose hash a default ref names. */
bool return_path_proves(const struct return_path *path, struct dsnd_str address);

#endif
