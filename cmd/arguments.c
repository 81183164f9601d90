#include "cmd/arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"

enum dsnd_err arguments_settings(const char *command, const char *config,
                                 struct settings *ret_settings)
{
    struct config_error error;
    enum dsnd_err err = settings_load(config, ret_settings, &error);

    if (err)
        (void)fprintf(stderr, "dsnd %s: %s\n", command, error.text);
    return err;
}

enum dsnd_err arguments_override(const char *command, const char *section, const char *key,
                                 const char *value, struct settings *settings)
{
    struct config_error error;
    enum dsnd_err err;

    for (size_t i = 0; i < settings_option_count; i++) {
        const struct config_option *option = &settings_options[i];

        if (strcmp(option->section, section) != 0 || strcmp(option->key, key) != 0)
            continue;
        err = config_set(option, dsnd_str_of(value), settings, &error);
        if (err)
            (void)fprintf(stderr, "dsnd %s: %s\n", command, error.text);
        return err;
    }
    return DSND_ERR_NOT_FOUND;
}

int arguments_wrong(const char *command, const char *help, const char *format, ...)
{
    va_list args;

    (void)fprintf(stderr, "dsnd %s: ", command);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\n%s", help);
    return EXIT_USAGE;
}

int arguments_one(const char *command, const char *help, const char *what, char *const *left)
{
    if (!left[0])
        return arguments_wrong(command, help, "%s is missing", what);
    if (left[1])
        return arguments_wrong(command, help, "unexpected argument \"%s\"; one %s is allowed",
                               left[1], what);
    return -1;
}

struct dsnd_str arguments_first(const char *list)
{
    struct dsnd_str rest = dsnd_str_of(list);
    struct dsnd_str first = dsnd_str_trim(dsnd_str_cut(&rest, ','));

    return first.len ? first : DSND_STR_ABSENT;
}
