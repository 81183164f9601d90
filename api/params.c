#include "api/params.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/timestamp.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "parse/return_path.h"

enum dsnd_err params_decode(struct dsnd_str text, struct dsnd_arena *arena,
                            struct dsnd_str *ret_text)
{
    size_t len = 0;
    char *dst;

    if (text.len > 3 * (size_t)PARAMS_VALUE_MAX)
        return DSND_ERR_LIMIT;
    dst = dsnd_arena_alloc(arena, text.len + 1);
    if (!dst)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < text.len; i++) {
        int high;
        int low;

        if (text.ptr[i] != '%') {
            dst[len++] = text.ptr[i];
            continue;
        }
        if (text.len - i < 3)
            return DSND_ERR_SYNTAX;
        high = hex_value(text.ptr[i + 1]);
        low = hex_value(text.ptr[i + 2]);
        if (high < 0 || low < 0 || high + low == 0)
            return DSND_ERR_SYNTAX;
        dst[len++] = (char)(high * 16 + low);
        i += 2;
    }
    *ret_text = dsnd_str_make(dst, len);
    if (len > PARAMS_VALUE_MAX)
        return DSND_ERR_LIMIT;
    return utf8_valid(*ret_text) ? DSND_OK : DSND_ERR_SYNTAX;
}

void params_error_add(struct params_error *self, const char *text)
{
    size_t len = strlen(self->detail);

    (void)snprintf(self->detail + len, sizeof(self->detail) - len, "%s", text);
}

/* Only what a person may see again: names are cut and made printable. */
static void set_name(struct params_error *error, struct dsnd_str name)
{
    size_t len = 0;

    for (size_t i = 0; i < name.len && len + 1 < sizeof(error->name); i++) {
        char c = name.ptr[i];
        bool plain = dsnd_is_alpha(c) || dsnd_is_digit(c) || c == '_' || c == '-';

        error->name[len++] = plain ? c : '?';
    }
    error->name[len] = '\0';
}

static enum dsnd_err refuse(struct params_error *error, struct dsnd_str name, const char *detail)
{
    set_name(error, name);
    (void)snprintf(error->detail, sizeof(error->detail), "%s", detail);
    return DSND_ERR_SYNTAX;
}

enum dsnd_err params_parse(struct dsnd_str query, struct dsnd_arena *arena,
                           struct params *ret_params, struct params_error *ret_error)
{
    ret_params->count = 0;
    while (query.len > 0) {
        struct dsnd_str value = dsnd_str_cut(&query, '&');
        struct dsnd_str raw_name = dsnd_str_cut(&value, '=');
        struct param param = {DSND_STR_ABSENT, DSND_STR("")};
        enum dsnd_err err;

        if (raw_name.len == 0 && value.len == 0)
            continue;
        if (ret_params->count == PARAMS_MAX) {
            (void)refuse(ret_error, raw_name, "too many parameters; at most 24 are allowed");
            return DSND_ERR_LIMIT;
        }
        err = params_decode(raw_name, arena, &param.name);
        if (!err && dsnd_str_present(value))
            err = params_decode(value, arena, &param.value);
        if (err) {
            (void)refuse(ret_error, raw_name,
                         "must be percent-encoded UTF-8 without NUL, at most 4096 octets");
            return err;
        }
        ret_params->item[ret_params->count++] = param;
    }
    return DSND_OK;
}

struct dsnd_str params_get(const struct params *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++) {
        if (dsnd_str_eq(params->item[i].name, dsnd_str_of(name)))
            return params->item[i].value;
    }
    return DSND_STR_ABSENT;
}

bool params_is_key(struct dsnd_str s)
{
    if (s.len < 1 || s.len > RETURN_PATH_CAMPAIGN_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !dsnd_is_digit(c) && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* A local part that is one quoted string (RFC 5321 section 4.1.2) may hold spaces. */
static bool is_quoted(struct dsnd_str local)
{
    return local.len >= 2 && local.ptr[0] == '"' && local.ptr[local.len - 1] == '"';
}

bool params_is_address(struct dsnd_str s)
{
    size_t at = dsnd_str_rchr(s, '@');
    size_t spaces; /* may stand before */

    if (s.len > 1000 || at == SIZE_MAX || at == 0 || at + 1 == s.len)
        return false;
    spaces = is_quoted(dsnd_str_slice(s, 0, at)) ? at : 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c < ' ' || c == 0x7f || (c == ' ' && i >= spaces))
            return false;
    }
    return utf8_valid(s);
}

static enum dsnd_err read_count(const struct param_spec *spec, struct dsnd_str value, void *target,
                                struct params_error *ret_error)
{
    uint64_t number;

    if (dsnd_str_to_u64(value, spec->max, &number) || number < spec->min) {
        set_name(ret_error, dsnd_str_of(spec->name));
        (void)snprintf(ret_error->detail, sizeof(ret_error->detail),
                       "must be a whole number from %" PRIu64 " to %" PRIu64, spec->min, spec->max);
        return DSND_ERR_SYNTAX;
    }
    *(int64_t *)target = (int64_t)number;
    return DSND_OK;
}

static enum dsnd_err read_choice(const struct param_spec *spec, struct dsnd_str value, void *target,
                                 struct params_error *ret_error)
{
    for (int i = 0; spec->choices[i]; i++) {
        if (dsnd_str_eq(value, dsnd_str_of(spec->choices[i]))) {
            *(int *)target = i;
            return DSND_OK;
        }
    }
    (void)refuse(ret_error, dsnd_str_of(spec->name), "must be one of ");
    for (int i = 0; spec->choices[i]; i++) {
        params_error_add(ret_error, i == 0 ? "" : ", ");
        params_error_add(ret_error, spec->choices[i]);
    }
    return DSND_ERR_SYNTAX;
}

static enum dsnd_err read_time(const struct param_spec *spec, struct dsnd_str value,
                               struct dsnd_arena *arena, struct dsnd_str *target,
                               struct params_error *ret_error)
{
    int64_t us;
    char *text;

    if (timestamp_parse(value, &us))
        return refuse(ret_error, dsnd_str_of(spec->name),
                      "must be an RFC 3339 time such as 2026-11-23T10:00:00Z, or a date");
    text = dsnd_arena_alloc(arena, DSND_RFC3339_SIZE);
    if (!text)
        return DSND_ERR_NOMEM;
    dsnd_clock_format(us, text);
    *target = dsnd_str_of(text);
    return DSND_OK;
}

static enum dsnd_err read_text(const struct param_spec *spec, struct dsnd_str value,
                               struct dsnd_str *target, struct params_error *ret_error)
{
    struct dsnd_str name = dsnd_str_of(spec->name);

    if (spec->type == PARAM_KEY && !params_is_key(value))
        return refuse(ret_error, name, "must be 1 to 20 of a-z, 0-9, _ and -");
    if (spec->type == PARAM_ADDRESS && !params_is_address(value))
        return refuse(ret_error, name, "must be a mail address");
    if (spec->type == PARAM_STRING && (value.len == 0 || value.len > spec->max))
        return refuse(ret_error, name, "is empty or too long");
    *target = value;
    return DSND_OK;
}

static enum dsnd_err read_one(const struct param_spec *spec, struct dsnd_str value,
                              struct dsnd_arena *arena, char *target,
                              struct params_error *ret_error)
{
    void *member = target + spec->offset;

    switch (spec->type) {
    case PARAM_COUNT:
        return read_count(spec, value, member, ret_error);
    case PARAM_CHOICE:
        return read_choice(spec, value, member, ret_error);
    case PARAM_TIME:
        return read_time(spec, value, arena, member, ret_error);
    case PARAM_STRING:
    case PARAM_ADDRESS:
    case PARAM_KEY:
        return read_text(spec, value, member, ret_error);
    }
    return DSND_ERR_SYNTAX;
}

static enum dsnd_err refuse_unknown(const struct param_spec *specs, size_t count,
                                    struct dsnd_str name, struct params_error *ret_error)
{
    (void)refuse(ret_error, name, "is not a parameter of this resource");
    params_error_add(ret_error, count ? "; allowed: " : ", which takes none");
    for (size_t i = 0; i < count; i++) {
        params_error_add(ret_error, i == 0 ? "" : ", ");
        params_error_add(ret_error, specs[i].name);
    }
    return DSND_ERR_SYNTAX;
}

enum dsnd_err params_read(const struct params *params, const struct param_spec *specs, size_t count,
                          struct dsnd_arena *arena, void *target, struct params_error *ret_error)
{
    uint64_t seen = 0;

    assert(count <= 64);
    for (size_t i = 0; i < params->count; i++) {
        const struct param *param = &params->item[i];
        size_t s = 0;
        enum dsnd_err err;

        while (s < count && !dsnd_str_eq(param->name, dsnd_str_of(specs[s].name)))
            s++;
        if (s == count)
            return refuse_unknown(specs, count, param->name, ret_error);
        if (seen & UINT64_C(1) << s)
            return refuse(ret_error, param->name, "is given more than once");
        seen |= UINT64_C(1) << s;
        err = read_one(&specs[s], param->value, arena, target, ret_error);
        if (err)
            return err;
    }
    return DSND_OK;
}
