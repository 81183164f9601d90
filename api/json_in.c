#include "api/json_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/timestamp.h"

static enum dsnd_err refuse(struct params_error *error, const char *name, const char *detail)
{
    (void)snprintf(error->name, sizeof(error->name), "%s", name);
    (void)snprintf(error->detail, sizeof(error->detail), "%s", detail);
    return DSND_ERR_SYNTAX;
}

enum dsnd_err json_in_parse(struct dsnd_str text, bool array, json_t **ret_json,
                            struct params_error *ret_error)
{
    json_error_t error;
    json_t *json = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES, &error);

    if (!json) {
        /* Jansson's own text may quote the input, so only the place is told. */
        (void)refuse(ret_error, "body", "");
        (void)snprintf(ret_error->detail, sizeof(ret_error->detail),
                       "is not valid JSON (line %d, column %d)", error.line, error.column);
        return DSND_ERR_SYNTAX;
    }
    if (array ? !json_is_array(json) : !json_is_object(json)) {
        json_decref(json);
        return refuse(ret_error, "body", array ? "must be an array" : "must be a JSON object");
    }
    *ret_json = json;
    return DSND_OK;
}

struct dsnd_str json_in_str(const json_t *value)
{
    if (!json_is_string(value))
        return DSND_STR_ABSENT;
    return dsnd_str_make(json_string_value(value), json_string_length(value));
}

bool json_in_is_ref(struct dsnd_str s)
{
    return s.len <= 16 && params_is_key(s);
}

static bool holds_any(struct dsnd_str s, struct dsnd_str these)
{
    for (size_t i = 0; i < s.len; i++)
        if (dsnd_str_chr(these, s.ptr[i]) != SIZE_MAX)
            return true;
    return false;
}

bool json_in_is_address(struct dsnd_str s)
{
    size_t at = dsnd_str_rchr(s, '@');
    struct dsnd_str local = dsnd_str_slice(s, 0, at);
    bool is_quoted = local.len >= 2 && local.ptr[0] == '"' && local.ptr[local.len - 1] == '"';

    if (!params_is_address(s) || (!is_quoted && holds_any(local, DSND_STR("<>(),;:\\\"@"))))
        return false;
    return !holds_any(dsnd_str_slice(s, at + 1, s.len), DSND_STR("<>(),;\\\"'|{}"));
}

bool json_in_is_plain(struct dsnd_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return false;
    }
    return true;
}

static enum dsnd_err read_text(const struct member_spec *spec, const json_t *value, void *target,
                               struct params_error *ret_error)
{
    struct dsnd_str text = json_in_str(value);

    if (!dsnd_str_present(text))
        return refuse(ret_error, spec->name, "must be a string");
    if (spec->type == MEMBER_KEY && !params_is_key(text))
        return refuse(ret_error, spec->name, "must be 1 to 20 of a-z, 0-9, _ and -");
    if (spec->type == MEMBER_REF && !json_in_is_ref(text))
        return refuse(ret_error, spec->name, "must be 1 to 16 of a-z, 0-9, _ and -");
    if (spec->type == MEMBER_ADDRESS && !json_in_is_address(text))
        return refuse(ret_error, spec->name, "must be a mail address");
    if (spec->type == MEMBER_STRING && (text.len > spec->max || !json_in_is_plain(text)))
        return refuse(ret_error, spec->name, "is too long or holds control characters");
    memcpy(target, &text, sizeof(text));
    return DSND_OK;
}

static enum dsnd_err read_count(const struct member_spec *spec, const json_t *value,
                                int64_t *target, struct params_error *ret_error)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > spec->max) {
        (void)refuse(ret_error, spec->name, "");
        (void)snprintf(ret_error->detail, sizeof(ret_error->detail),
                       "must be a whole number from 0 to %" PRIu64, spec->max);
        return DSND_ERR_SYNTAX;
    }
    *target = json_integer_value(value);
    return DSND_OK;
}

static enum dsnd_err read_array(const struct member_spec *spec, json_t *value, json_t **target,
                                struct params_error *ret_error)
{
    if (!json_is_array(value) || json_array_size(value) > spec->max) {
        (void)refuse(ret_error, spec->name, "");
        (void)snprintf(ret_error->detail, sizeof(ret_error->detail),
                       "must be an array of at most %" PRIu64 " elements", spec->max);
        return DSND_ERR_SYNTAX;
    }
    *target = value;
    return DSND_OK;
}

static enum dsnd_err read_member(const struct member_spec *spec, json_t *value, char *base,
                                 struct params_error *ret_error)
{
    void *target = base + spec->offset;

    switch (spec->type) {
    case MEMBER_COUNT:
        return read_count(spec, value, target, ret_error);
    case MEMBER_ARRAY:
        return read_array(spec, value, target, ret_error);
    case MEMBER_TIME:
        if (timestamp_parse(json_in_str(value), target))
            return refuse(ret_error, spec->name,
                          "must be an RFC 3339 time such as 2026-11-23T10:00:00Z");
        return DSND_OK;
    case MEMBER_BOOL:
        if (!json_is_boolean(value))
            return refuse(ret_error, spec->name, "must be true or false");
        *(bool *)target = json_is_true(value);
        return DSND_OK;
    case MEMBER_STRING:
    case MEMBER_ADDRESS:
    case MEMBER_KEY:
    case MEMBER_REF:
        return read_text(spec, value, target, ret_error);
    }
    return DSND_ERR_SYNTAX;
}

/* A member's name may hold anything; only what is printable ASCII is repeated. */
static enum dsnd_err unknown(const struct member_spec *specs, size_t count, const char *name,
                             struct params_error *error)
{
    size_t len = 0;

    for (; name[len] && len + 1 < sizeof(error->name); len++)
        error->name[len] = (char)(name[len] > ' ' && name[len] < 0x7f ? name[len] : '?');
    error->name[len] = '\0';
    (void)snprintf(error->detail, sizeof(error->detail),
                   "is not a member of this object; allowed: ");
    for (size_t i = 0; i < count; i++) {
        params_error_add(error, i == 0 ? "" : ", ");
        params_error_add(error, specs[i].name);
    }
    return DSND_ERR_SYNTAX;
}

enum dsnd_err json_in_members(json_t *object, const struct member_spec *specs, size_t count,
                              void *target, struct params_error *ret_error)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return refuse(ret_error, "body", "must be a JSON object");
    json_object_foreach(object, name, value)
    {
        size_t s = 0;
        enum dsnd_err err = DSND_OK;

        while (s < count && strcmp(name, specs[s].name) != 0)
            s++;
        if (s == count)
            return unknown(specs, count, name, ret_error);
        if (!json_is_null(value))
            err = read_member(&specs[s], value, target, ret_error);
        if (err)
            return err;
        if (specs[s].given != SIZE_MAX)
            *((bool *)((char *)target + specs[s].given)) = true;
    }
    return DSND_OK;
}
