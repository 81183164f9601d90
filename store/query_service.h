/*
 * How the service stands, for `dsnd doctor` and those who watch it. Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_SERVICE_H
#define DSND_STORE_QUERY_SERVICE_H

#include "store/query.h"

enum store_journal_column {
    STORE_JOURNAL_ID,       /* 32 hex digits */
    STORE_JOURNAL_SEQUENCE, /* every record up to this one is stored */
    STORE_JOURNAL_SEGMENT,
    STORE_JOURNAL_OFFSET,
    STORE_JOURNAL_REPORTS,
    STORE_JOURNAL_DUPLICATES,
    STORE_JOURNAL_QUARANTINED,
    STORE_JOURNAL_UPDATED_AT,
    STORE_JOURNAL_IDLE_S, /* seconds since then */
    STORE_JOURNAL_COLUMNS,
};
/* Journals that this database knows, the last moved first, at most `limit`. */
DSND_MUST_CHECK
enum dsnd_err store_journal_list(struct store_conn *conn, unsigned limit,
                                 struct store_rows **ret_rows);

struct store_service {
    int64_t days_ahead;          /* days after today (UTC) for which partitions exist; may be < 0 */
    int64_t incidents_open;      /* causes for which providers refuse mail now */
    int64_t quarantined_waiting; /* messages set aside and not replayed */
};
DSND_MUST_CHECK
enum dsnd_err store_service_get(struct store_conn *conn, struct store_service *ret_service);

#endif
