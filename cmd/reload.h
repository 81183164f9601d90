/*
 * What every process does at a reload: who took new settings says which take a restart, by one
 * table of keys that a process takes at its start only; who could not says why. One thread.
 */
#ifndef DSND_CMD_RELOAD_H
#define DSND_CMD_RELOAD_H

#include "cmd/settings.h"

/* Remember what a process began with. Once, before any thread. */
void reload_begin(const struct settings *settings);

/*
 * The reload succeeded: log at the level that `fresh` asks for from now on, and name the keys that
 * are not as they were when `process` ("receive") began and that it takes at its start only.
 */
void reload_done(const struct settings *fresh, const char *process);

/* It did not, and the old settings stay: count it and log `event` ("receive.reload_failed"). */
void reload_failed(const char *event, const struct config_error *error);

#endif
