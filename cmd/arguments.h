/*
 * Options that several subcommands take besides the configuration. One thread, at start.
 */
#ifndef DSND_CMD_ARGUMENTS_H
#define DSND_CMD_ARGUMENTS_H

#include "base/err.h"
#include "cmd/settings.h"

/*
 * The settings from the file at `config` (NULL: as settings_load). Prints what is wrong with them
 * under the name of `command`.
 */
DSND_MUST_CHECK
enum dsnd_err arguments_settings(const char *command, const char *config,
                                 struct settings *ret_settings);

/*
 * An option that stands for a setting: "60d" for sign.max_age. Prints what is wrong with it.
 * DSND_ERR_NOT_FOUND: there is no such setting; else as config_set.
 */
DSND_MUST_CHECK
enum dsnd_err arguments_override(const char *command, const char *section, const char *key,
                                 const char *value, struct settings *settings);

/*
 * Print in one line what is wrong with the arguments of `command` and what is allowed, then its
 * help. Returns EXIT_USAGE.
 */
DSND_PRINTF(3, 4)
int arguments_wrong(const char *command, const char *help, const char *format, ...);

/*
 * -1 where exactly one argument is left; else as arguments_wrong, which calls it `what`
 * ("ADDRESS").
 */
DSND_MUST_CHECK
int arguments_one(const char *command, const char *help, const char *what, char *const *left);

/* The first of a comma-separated list; absent where it is empty. Borrows from `list`. */
struct dsnd_str arguments_first(const char *list);

#endif
