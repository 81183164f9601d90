/*
 * Reads CSV (RFC 4180) record by record; LF alone ends a record too. A cell that rows_out_csv_cell
 * defused is given as it was. Pure, any thread.
 */
#ifndef DSND_API_CSV_IN_H
#define DSND_API_CSV_IN_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { CSV_IN_CELLS_MAX = 32 };

struct csv_record {
    struct dsnd_str cell[CSV_IN_CELLS_MAX]; /* in the arena, or views of the text */
    size_t count;
};

/*
 * Cut one record off the front of `rest`, which must not be empty. DSND_ERR_SYNTAX: an open quote,
 * or octets behind a closing one; DSND_ERR_LIMIT: too many cells; DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err csv_in_record(struct dsnd_str *rest, struct dsnd_arena *arena,
                            struct csv_record *ret_record);

#endif
