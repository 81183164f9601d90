#include "base/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A settings file is read whole; one that is larger is a mistake. */
enum { CONFIG_FILE_MAX = 256 * 1024 };

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit octet_units[] = {
    {"K", UINT64_C(1) << 10}, {"M", UINT64_C(1) << 20}, {"G", UINT64_C(1) << 30}, {"", 1}};
static const struct unit time_units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                         {"h", 3600000}, {"d", 86400000}, {"", 0}};
static const struct unit count_units[] = {{"", 1}};

DSND_PRINTF(2, 3)
static enum dsnd_err fail(struct config_error *error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (vsnprintf(error->text, sizeof(error->text), format, args) < 0)
        error->text[0] = '\0';
    va_end(args);
    return DSND_ERR_SYNTAX;
}

static bool scale(struct dsnd_str value, const struct unit *units, size_t count, uint64_t *ret)
{
    for (size_t i = 0; i < count; i++) {
        struct dsnd_str suffix = dsnd_str_of(units[i].suffix);
        uint64_t number;

        if (!dsnd_str_iends(value, suffix) ||
            dsnd_str_to_u64(dsnd_str_slice(value, 0, value.len - suffix.len), UINT64_MAX, &number))
            continue;
        if (units[i].factor == 0) { /* a bare number has no unit: only 0 means the same in all */
            *ret = 0;
            return number == 0;
        }
        if (number > UINT64_MAX / units[i].factor)
            return false;
        *ret = number * units[i].factor;
        return true;
    }
    return false;
}

static enum dsnd_err set_number(const struct config_option *option, struct dsnd_str value,
                                void *member, struct config_error *error)
{
    uint64_t max = option->max ? option->max : UINT64_MAX;
    uint64_t number = 0;
    bool ok = false;

    if (option->type == CONFIG_OCTETS)
        ok = scale(value, octet_units, sizeof(octet_units) / sizeof(*octet_units), &number);
    else if (option->type == CONFIG_DURATION)
        ok = scale(value, time_units, sizeof(time_units) / sizeof(*time_units), &number);
    else
        ok = scale(value, count_units, sizeof(count_units) / sizeof(*count_units), &number);
    if (!ok && option->type == CONFIG_OCTETS)
        return fail(error, "\"%.*s\" is not a size; allowed is a number with K, M or G, as in 20M",
                    DSND_STR_ARG(value));
    if (!ok && option->type == CONFIG_DURATION)
        return fail(error,
                    "\"%.*s\" is not a time; allowed is a number with ms, s, m, h or d, as in 24h",
                    DSND_STR_ARG(value));
    if (!ok)
        return fail(error, "\"%.*s\" is not a whole number", DSND_STR_ARG(value));
    if (number < option->min || number > max) {
        (void)fail(error, "\"%.*s\" is outside what is allowed: %llu to %llu%s",
                   DSND_STR_ARG(value), (unsigned long long)option->min, (unsigned long long)max,
                   option->type == CONFIG_DURATION ? " milliseconds"
                   : option->type == CONFIG_OCTETS ? " octets"
                                                   : "");
        return DSND_ERR_LIMIT;
    }
    memcpy(member, &number, sizeof(number));
    return DSND_OK;
}

static enum dsnd_err set_choice(const struct config_option *option, struct dsnd_str value,
                                void *member, struct config_error *error)
{
    char allowed[256] = "";
    size_t len = 0;

    for (int i = 0; option->choices[i]; i++) {
        int n;

        if (dsnd_str_ieq(value, dsnd_str_of(option->choices[i]))) {
            memcpy(member, &i, sizeof(i));
            return DSND_OK;
        }
        n = snprintf(allowed + len, sizeof(allowed) - len, "%s%s", i ? ", " : "",
                     option->choices[i]);
        if (n > 0 && (size_t)n < sizeof(allowed) - len)
            len += (size_t)n;
    }
    return fail(error, "\"%.*s\" is none of: %s", DSND_STR_ARG(value), allowed);
}

static enum dsnd_err set_string(const struct config_option *option, struct dsnd_str value,
                                char *member, struct config_error *error)
{
    enum dsnd_err err = DSND_OK;

    if (dsnd_str_chr(value, '\0') != SIZE_MAX || value.len >= CONFIG_STRING_SIZE) {
        (void)fail(error, "the value is too long or holds NUL; allowed are %d octets",
                   CONFIG_STRING_SIZE - 1);
        return DSND_ERR_LIMIT;
    }
    if (option->check)
        err = option->check(value, error);
    return err ? err : dsnd_str_copy(value, member, CONFIG_STRING_SIZE);
}

enum dsnd_err config_set(const struct config_option *option, struct dsnd_str value, void *settings,
                         struct config_error *ret_error)
{
    char *member = (char *)settings + option->offset;
    bool flag = dsnd_str_ieq(value, DSND_STR("yes"));

    switch (option->type) {
    case CONFIG_STRING:
        return set_string(option, value, member, ret_error);
    case CONFIG_BOOL:
        if (!flag && !dsnd_str_ieq(value, DSND_STR("no")))
            return fail(ret_error, "\"%.*s\" is none of: yes, no", DSND_STR_ARG(value));
        memcpy(member, &flag, sizeof(flag));
        return DSND_OK;
    case CONFIG_COUNT:
    case CONFIG_OCTETS:
    case CONFIG_DURATION:
        return set_number(option, value, member, ret_error);
    case CONFIG_CHOICE:
        return set_choice(option, value, member, ret_error);
    }
    return DSND_ERR_SYNTAX;
}

struct load {
    const struct config_option *options;
    size_t count;
    void *settings;
    struct config_error *error;
    unsigned *lines; /* of each option, where the file set it; 0: not yet */
    unsigned line;   /* of the file; 0: what is read now comes from elsewhere */
};

/* Put "where: " in front of what config_set or fail said. */
static enum dsnd_err locate(const struct load *self, const char *where, enum dsnd_err err)
{
    struct config_error inner = *self->error;

    if (err)
        (void)fail(self->error, "%s: %s", where, inner.text);
    return err;
}

static void list_keys(const struct load *self, const char *section, char *dst, size_t size)
{
    size_t len = 0;

    dst[0] = '\0';
    for (size_t i = 0; i < self->count; i++) {
        const struct config_option *o = &self->options[i];
        struct dsnd_str name = dsnd_str_of(o->section);
        bool first = i == 0 || !dsnd_str_eq(name, dsnd_str_of(self->options[i - 1].section));
        int n;

        if (section ? !dsnd_str_eq(name, dsnd_str_of(section)) : !first)
            continue;
        n = snprintf(dst + len, size - len, "%s%s", len ? ", " : "", section ? o->key : o->section);
        if (n > 0 && (size_t)n < size - len)
            len += (size_t)n;
    }
}

/* The table's own spelling of a section, or NULL. */
static const char *find_section(const struct load *self, struct dsnd_str name)
{
    for (size_t i = 0; i < self->count; i++)
        if (dsnd_str_ieq(name, dsnd_str_of(self->options[i].section)))
            return self->options[i].section;
    return NULL;
}

/* Of two lines of one key somebody expects the one that would not hold. */
static enum dsnd_err note_line(const struct load *self, size_t option)
{
    if (!self->line)
        return DSND_OK;
    if (self->lines[option])
        return fail(self->error, "was set on line %u already; once is allowed",
                    self->lines[option]);
    self->lines[option] = self->line;
    return DSND_OK;
}

static enum dsnd_err set_key(const struct load *self, const char *section, struct dsnd_str key,
                             struct dsnd_str value)
{
    char allowed[640];

    for (size_t i = 0; i < self->count; i++) {
        const struct config_option *o = &self->options[i];
        char name[128];
        enum dsnd_err err;

        if (strcmp(o->section, section) != 0 || !dsnd_str_ieq(key, dsnd_str_of(o->key)))
            continue;
        err = note_line(self, i);
        if (!err)
            err = config_set(o, value, self->settings, self->error);
        if (snprintf(name, sizeof(name), "%s.%s", o->section, o->key) < 0)
            name[0] = '\0';
        return locate(self, name, err);
    }
    list_keys(self, section, allowed, sizeof(allowed));
    return fail(self->error, "unknown key \"%.*s\" in [%s]; allowed are: %s", DSND_STR_ARG(key),
                section, allowed);
}

static enum dsnd_err read_line(const struct load *self, struct dsnd_str line, const char **section)
{
    char allowed[640];
    struct dsnd_str key;

    line = dsnd_str_trim(line);
    if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
        return DSND_OK;
    if (line.ptr[0] == '[') {
        struct dsnd_str name = dsnd_str_trim(dsnd_str_slice(line, 1, line.len - 1));

        *section = line.ptr[line.len - 1] == ']' ? find_section(self, name) : NULL;
        if (*section)
            return DSND_OK;
        list_keys(self, NULL, allowed, sizeof(allowed));
        return fail(self->error, "unknown section \"%.*s\"; allowed are: %s", DSND_STR_ARG(line),
                    allowed);
    }
    key = dsnd_str_cut(&line, '=');
    if (!dsnd_str_present(line))
        return fail(self->error, "\"%.*s\" is neither [section] nor key = value",
                    DSND_STR_ARG(key));
    if (!*section)
        return fail(self->error, "\"%.*s\" stands before any [section]",
                    DSND_STR_ARG(dsnd_str_trim(key)));
    return set_key(self, *section, dsnd_str_trim(key), dsnd_str_trim(line));
}

static enum dsnd_err read_file(struct load *self, const char *path)
{
    static const size_t size = CONFIG_FILE_MAX + 1;
    const char *section = NULL;
    enum dsnd_err err = DSND_OK;
    struct dsnd_str text;
    char where[CONFIG_STRING_SIZE + 16];
    char *octets = malloc(size);
    FILE *file = octets ? fopen(path, "re") : NULL;

    if (!file) {
        err = octets ? DSND_ERR_IO : DSND_ERR_NOMEM;
        (void)fail(self->error, "%s: cannot be read: %s", path, strerror(errno));
        goto out;
    }
    text = dsnd_str_make(octets, fread(octets, 1, size, file));
    if (ferror(file) || text.len == size) {
        err = ferror(file) ? DSND_ERR_IO : DSND_ERR_LIMIT;
        (void)fail(self->error, "%s: %s", path,
                   ferror(file) ? strerror(errno) : "larger than the 256 KiB allowed");
        goto out;
    }
    while (!err && text.len) {
        struct dsnd_str line = dsnd_str_line(&text);

        if (snprintf(where, sizeof(where), "%s:%u", path, ++self->line) < 0)
            where[0] = '\0';
        err = locate(self, where, read_line(self, line, &section));
    }
out:
    self->line = 0;
    if (file && fclose(file) != 0 && !err)
        err = DSND_ERR_IO;
    free(octets);
    return err;
}

/* DSND_SMTP_LISTEN=... : the section is the part up to the next underscore that names one. */
static enum dsnd_err read_variable(const struct load *self, struct dsnd_str variable)
{
    static const struct dsnd_str prefix = DSND_STR_INIT("DSND_");
    /* quickstart.env names it for clients; by its form it would be a key of [metrics]. */
    static const struct dsnd_str for_clients = DSND_STR_INIT("DSND_METRICS_URL");
    struct dsnd_str name = dsnd_str_cut(&variable, '=');
    char where[160];
    const char *section;
    struct dsnd_str key;

    if (!dsnd_str_present(variable) || !dsnd_str_starts(name, prefix) ||
        dsnd_str_eq(name, for_clients))
        return DSND_OK;
    key = dsnd_str_slice(name, prefix.len, name.len);
    section = find_section(self, dsnd_str_cut(&key, '_'));
    if (!section || !dsnd_str_present(key))
        return DSND_OK;
    if (snprintf(where, sizeof(where), "environment %.*s", DSND_STR_ARG(name)) < 0)
        where[0] = '\0';
    return locate(self, where, set_key(self, section, key, variable));
}

enum dsnd_err config_load(const struct config_option *options, size_t count, const char *path,
                          char *const *envp, void *settings, struct config_error *ret_error)
{
    struct load load = {options, count, settings, ret_error, calloc(count, sizeof(*load.lines)), 0};
    enum dsnd_err err = load.lines ? DSND_OK : DSND_ERR_NOMEM;

    (void)snprintf(ret_error->text, sizeof(ret_error->text), "%s", err ? dsnd_err_text(err) : "");
    for (size_t i = 0; i < count && !err; i++)
        err = locate(&load, options[i].key,
                     config_set(&options[i], dsnd_str_of(options[i].initial), settings, ret_error));
    if (!err && path)
        err = read_file(&load, path);
    for (size_t i = 0; envp && envp[i] && !err; i++)
        err = read_variable(&load, dsnd_str_of(envp[i]));
    free(load.lines);
    return err;
}
