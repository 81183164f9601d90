/*
 * Whole small files. Any thread.
 */
#ifndef DSND_BASE_FILE_H
#define DSND_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Append the whole file at `path` to `out`. DSND_ERR_IO with errno; DSND_ERR_LIMIT: larger than
 * what `out` may hold; `out` is as before then.
 */
DSND_MUST_CHECK
enum dsnd_err file_read(const char *path, struct dsnd_buf *out);

#endif
