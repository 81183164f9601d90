/*
 * Reads addresses to suppress from a file and stores them in batches. One thread.
 */
#ifndef DSND_CMD_SUPPRESSIONS_IN_H
#define DSND_CMD_SUPPRESSIONS_IN_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "parse/report.h"
#include "store/store.h"

struct suppressions_in {
    const char *name;        /* of the file, for messages */
    const char *note;        /* of entries that have none; NULL: none */
    enum report_class klass; /* of entries that name none */
    uint64_t read;           /* entries stored, over all files */
    uint64_t changed;        /* those that were not so already */
    uint64_t refused;        /* lines that could not be taken; each was named on standard error */
};

/*
 * Store what `file` holds: NDJSON, CSV with a head, or an address a line; the first line tells.
 * DSND_ERR_IO; DSND_ERR_NOMEM; else as store_suppression_put.
 */
DSND_MUST_CHECK
enum dsnd_err suppressions_in_file(struct suppressions_in *self, FILE *file,
                                   struct store_conn *conn);

#endif
