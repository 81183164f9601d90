/* Long options of the load programs, as a table. One thread, at start. */
#ifndef DSND_TESTS_LOAD_OPTIONS_H
#define DSND_TESTS_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse/return_path.h"

/* One of `text`, `number` and `flag` is set; a number lies within `least` and `most`. */
struct option_row {
    const char *name; /* without -- */
    const char **text;
    uint64_t *number;
    bool *flag;
    uint64_t least, most;
};

enum { OPTION_ROWS_MAX = 16 };

/* False after a message on standard error that names the option and what is allowed. */
bool options_read(int argc, char **argv, const struct option_row *rows, size_t count);

/* Signing keys of a file; false after a message. */
bool options_keys(const char *path, struct return_path_keys *ret_keys);

#endif
