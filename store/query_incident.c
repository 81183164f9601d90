#include "store/query_incident.h"

#include <string.h>

#include "store/query_run.h"

enum dsnd_err store_incident_list(struct store_conn *conn,
                                  const struct store_incident_filter *filter,
                                  struct dsnd_str before, unsigned limit,
                                  struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, before);
    if (filter->open < 0)
        pg_add_null(&params);
    else
        pg_add_bool(&params, filter->open == 1);
    pg_add_text(&params, filter->provider);
    if (filter->klass < 0)
        pg_add_null(&params);
    else
        pg_add_i16(&params, (int16_t)filter->klass);
    pg_add_text(&params, filter->from);
    pg_add_text(&params, filter->to);
    pg_add_i64(&params, limit);
    err = query_run(conn, STATEMENT_INCIDENT_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

static enum dsnd_err run_of_id(struct store_conn *conn, enum statement statement, int64_t id,
                               struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, id);
    err = query_run(conn, statement, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_incident_get(struct store_conn *conn, int64_t id, struct store_rows **ret_rows)
{
    return query_one(run_of_id(conn, STATEMENT_INCIDENT_GET, id, ret_rows), ret_rows);
}

enum dsnd_err store_incident_campaigns(struct store_conn *conn, int64_t id,
                                       struct store_rows **ret_rows)
{
    return run_of_id(conn, STATEMENT_INCIDENT_CAMPAIGNS, id, ret_rows);
}

enum dsnd_err store_incident_open(struct store_conn *conn, int64_t ret_open[REPORT_CLASS_COUNT])
{
    struct store_rows *rows = NULL;
    enum dsnd_err err = query_run(conn, STATEMENT_INCIDENT_OPEN, NULL, &rows);

    if (!err)
        memset(ret_open, 0, REPORT_CLASS_COUNT * sizeof(*ret_open));
    for (size_t i = 0; !err && i < store_rows_count(rows); i++) {
        int64_t klass = store_rows_int(rows, i, 0);

        if (klass > 0 && klass < REPORT_CLASS_COUNT)
            ret_open[klass] = store_rows_int(rows, i, 1);
    }
    store_rows_free(rows);
    return err;
}
