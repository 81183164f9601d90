/*
 * Which settings a process takes at its start only: one table, and what a reload says of them.
 */
#ifndef DSND_CMD_SETTINGS_RESTART_H
#define DSND_CMD_SETTINGS_RESTART_H

#include "cmd/settings.h"

/* Remember what a process began with. Once, before any thread. */
void settings_restart_began(const struct settings *settings);

/*
 * At the end of a reload that succeeded: log at the level that `fresh` asks for, and name the keys
 * that are not as they were when `process` ("receive") began and that it takes at its start only.
 */
void settings_restart_name(const struct settings *fresh, const char *process);

#endif
