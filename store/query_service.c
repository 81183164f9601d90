#include "store/query_service.h"

#include "store/query_run.h"

enum dsnd_err store_journal_list(struct store_conn *conn, unsigned limit,
                                 struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, limit);
    err = query_run(conn, STATEMENT_JOURNAL_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

static enum dsnd_err get_number(struct store_conn *conn, enum statement statement,
                                int64_t *ret_number)
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = query_run(conn, statement, NULL, &rows);

    if (!err)
        *ret_number = store_rows_int(rows, 0, 0);
    store_rows_free(rows);
    return err;
}

enum dsnd_err store_service_get(struct store_conn *conn, struct store_service *ret_service)
{
    enum dsnd_err err = get_number(conn, STATEMENT_PARTITION_DAYS, &ret_service->days_ahead);

    if (!err)
        err = get_number(conn, STATEMENT_QUARANTINE_WAITING, &ret_service->quarantined_waiting);
    return err ? err : get_number(conn, STATEMENT_INCIDENT_COUNT, &ret_service->incidents_open);
}
