/*
 * Finding the next record behind damage.
 */
#ifndef DSND_INGEST_JOURNAL_RESYNC_H
#define DSND_INGEST_JOURNAL_RESYNC_H

#include "ingest/journal_scan.h"

struct journal_resync {
    uint64_t next;          /* offset of the next valid header, or the limit */
    uint64_t next_sequence; /* its sequence; 0: none was found */
    uint64_t octets_end;    /* behind the last octet before `next` that is not zero, aligned */
};

/*
 * Search [from, scan->limit) at multiples of 8 for a header of this journal whose sequence is
 * larger than those passed and whose record fits. DSND_ERR_IO; DSND_ERR_NOMEM.
 */
DSND_MUST_CHECK
enum dsnd_err journal_resync(const struct journal_scan *scan, uint64_t from,
                             struct journal_resync *ret_found);

#endif
