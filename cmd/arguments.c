#include "cmd/arguments.h"

#include <stdio.h>
#include <string.h>

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

struct dsnd_str arguments_first(const char *list)
{
    struct dsnd_str rest = dsnd_str_of(list);
    struct dsnd_str first = dsnd_str_trim(dsnd_str_cut(&rest, ','));

    return first.len ? first : DSND_STR_ABSENT;
}
