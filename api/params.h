/*
 * Parameters of a request: the query taken apart and percent-decoded strictly, and values read by
 * type into a struct, driven by a table. Used for query parameters; the errors name the parameter
 * and what is allowed. Pure, any thread.
 *
 * A plus sign stands for itself (RFC 3986), so that addresses and time offsets can be typed as they
 * are; a space is %20.
 */
#ifndef DSND_API_PARAMS_H
#define DSND_API_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum {
    PARAMS_MAX = 24,
    PARAMS_VALUE_MAX = 4096, /* octets of one decoded value */
};

struct param {
    struct dsnd_str name;
    struct dsnd_str value;
};

struct params {
    struct param item[PARAMS_MAX];
    size_t count;
};

/* What was wrong, for the client: the parameter's name and a sentence. */
struct params_error {
    char name[64];
    char detail[512];
};

/* Add to the sentence; what does not fit is cut off. */
void params_error_add(struct params_error *self, const char *text);

enum param_type {
    PARAM_STRING,  /* struct dsnd_str, 1 to `max` octets */
    PARAM_ADDRESS, /* struct dsnd_str: something@something, at most 1,000 octets */
    PARAM_KEY,     /* struct dsnd_str: a campaign's key */
    PARAM_COUNT,   /* int64_t, `min` to `max`; what it was where absent */
    PARAM_TIME,    /* struct dsnd_str: RFC 3339 in UTC as PostgreSQL reads it */
    PARAM_CHOICE,  /* int: index into `choices`; -1 where absent */
};

struct param_spec {
    const char *name;
    enum param_type type;
    size_t offset;              /* of the member in the struct to fill */
    uint64_t min;               /* of COUNT */
    uint64_t max;               /* of COUNT and STRING */
    const char *const *choices; /* of CHOICE, ended by NULL */
};

/*
 * Percent-decode `text` into `arena`. DSND_ERR_SYNTAX: a broken escape, NUL or invalid UTF-8;
 * DSND_ERR_LIMIT: too long; DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err params_decode(struct dsnd_str text, struct dsnd_arena *arena,
                            struct dsnd_str *ret_text);

/* Take a query apart. Errors as params_decode, and LIMIT for too many; `*ret_error` names it. */
DSND_MUST_CHECK
enum dsnd_err params_parse(struct dsnd_str query, struct dsnd_arena *arena,
                           struct params *ret_params, struct params_error *ret_error);

/* The value of `name`, or absent. */
struct dsnd_str params_get(const struct params *params, const char *name);

/*
 * Read all of `params` into `target` by `specs`. DSND_ERR_SYNTAX: unknown, repeated or bad;
 * `*ret_error` says which and what is allowed. DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err params_read(const struct params *params, const struct param_spec *specs, size_t count,
                          struct dsnd_arena *arena, void *target, struct params_error *ret_error);

/* 1-20 of [a-z0-9_-]. */
bool params_is_key(struct dsnd_str s);
/*
 * One @ or more with something on both sides, no control characters, spaces only in a quoted local
 * part, at most 1,000 octets.
 */
bool params_is_address(struct dsnd_str s);

#endif
