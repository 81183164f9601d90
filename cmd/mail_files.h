/*
 * Stored messages: single files, folders and maildirs, mboxes and standard input, one message after
 * another. One thread.
 */
#ifndef DSND_CMD_MAIL_FILES_H
#define DSND_CMD_MAIL_FILES_H

#include "base/err.h"
#include "base/str.h"

/* A message of more is reported and passed over. */
#define MAIL_FILES_OCTETS_MAX (UINT64_C(1) << 30)

/*
 * Called for each message; `name` is its path, with ":N" behind it for the Nth of an mbox. Both
 * views die with the call. Another value than DSND_OK ends the walk.
 */
typedef enum dsnd_err (*mail_files_fn)(void *context, struct dsnd_str name,
                                       struct dsnd_str message);

/*
 * Every message at `path` ("-": standard input), files of a folder in the order of their names. A
 * file that begins with "From " is an mbox, unless its name ends in ".eml". What cannot be read is
 * named on standard error, the rest goes on: DSND_ERR_IO at the end. Else what the callback
 * returned; DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err mail_files_walk(const char *path, mail_files_fn take, void *context);

#endif
