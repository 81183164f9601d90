/*
 * JSON bodies: parsed by Jansson, then read by type into a struct, driven by a table; errors name
 * the member and what is allowed. One thread.
 */
#ifndef DSND_API_JSON_IN_H
#define DSND_API_JSON_IN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/params.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum member_type {
    MEMBER_STRING,  /* struct dsnd_str, at most `max` octets, no control characters */
    MEMBER_ADDRESS, /* struct dsnd_str */
    MEMBER_KEY,     /* struct dsnd_str: a campaign's key */
    MEMBER_REF,     /* struct dsnd_str: 1 to 16 of a-z 0-9 _ - */
    MEMBER_COUNT,   /* int64_t, 0 to `max` */
    MEMBER_TIME,    /* int64_t, microseconds since 1970 */
    MEMBER_ARRAY,   /* json_t *, borrowed; at most `max` elements */
    MEMBER_BOOL,    /* bool */
};

struct member_spec {
    const char *name;
    enum member_type type;
    size_t offset; /* of the value in the struct to fill */
    size_t given;  /* offset of a bool that says it was there, null or not; SIZE_MAX: none */
    uint64_t max;
};

/*
 * Parse one JSON value that must be an object (or, where `array` is true, an array). Free with
 * json_decref. DSND_ERR_SYNTAX: `ret_error` says where and why.
 */
DSND_MUST_CHECK
enum dsnd_err json_in_parse(struct dsnd_str text, bool array, json_t **ret_json,
                            struct params_error *ret_error);

/*
 * Read the members of an object into `target`; null counts as absent. An unknown member is an
 * error. Views borrow from `object`. DSND_ERR_SYNTAX: `ret_error` says which and what is allowed.
 */
DSND_MUST_CHECK
enum dsnd_err json_in_members(json_t *object, const struct member_spec *specs, size_t count,
                              void *target, struct params_error *ret_error);

/* A string as a view, absent for anything else. */
struct dsnd_str json_in_str(const json_t *value);
/* 1 to 16 of [a-z0-9_-]. */
bool json_in_is_ref(struct dsnd_str s);
/* An address alone, of one that was sent to: no <a@b.example>, no list. */
bool json_in_is_address(struct dsnd_str s);
/* Printable: no C0 control characters, no DEL. */
bool json_in_is_plain(struct dsnd_str s);

#endif
