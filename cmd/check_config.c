#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "cmd/commands.h"
#include "cmd/material.h"
#include "cmd/settings.h"

/* One key as a file would give it, with its default and meaning behind. Passwords are not shown. */
static void print_option(const struct config_option *option, const struct settings *settings)
{
    const char *member = (const char *)settings + option->offset;
    uint64_t number = 0;
    int index = 0;

    switch (option->type) {
    case CONFIG_STRING:
        (void)printf("%s = %s", option->key,
                     strcmp(option->key, "url") == 0 && member[0] ? "(set)" : member);
        break;
    case CONFIG_BOOL:
        (void)printf("%s = %s", option->key, *member ? "yes" : "no");
        break;
    case CONFIG_DURATION:
        memcpy(&number, member, sizeof(number));
        if (number % 1000 == 0)
            (void)printf("%s = %llus", option->key, (unsigned long long)number / 1000);
        else
            (void)printf("%s = %llums", option->key, (unsigned long long)number);
        break;
    case CONFIG_COUNT:
    case CONFIG_OCTETS:
        memcpy(&number, member, sizeof(number));
        (void)printf("%s = %llu", option->key, (unsigned long long)number);
        break;
    case CONFIG_CHOICE:
        memcpy(&index, member, sizeof(index));
        (void)printf("%s = %s", option->key, option->choices[index]);
        break;
    }
    (void)printf("\n    # %s (default: %s)\n", option->help,
                 option->initial[0] ? option->initial : "empty");
}

int cmd_check_config(int argc, char **argv)
{
    static struct settings settings;
    int status = settings_from_arguments(
        argc, argv,
        "usage: dsnd check-config [-c FILE]\n\n"
        "Reads the configuration as the service would, with DSND_SECTION_KEY of the\n"
        "environment, and the files that it names, prints what is in force, and ends with 2\n"
        "where something is wrong. Run it as the service's user.\n",
        &settings);
    struct config_error error;

    if (status >= 0)
        return status;
    if (material_check(&settings, &error)) {
        (void)fprintf(stderr, "dsnd check-config: %s\n", error.text);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < settings_option_count; i++) {
        if (i == 0 || strcmp(settings_options[i].section, settings_options[i - 1].section) != 0)
            (void)printf("%s[%s]\n", i ? "\n" : "", settings_options[i].section);
        print_option(&settings_options[i], &settings);
    }
    return EXIT_DONE;
}
