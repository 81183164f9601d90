#include "store/query_status.h"

#include "store/digest.h"
#include "store/query_run.h"

static void add_number(struct pg_params *params, int number)
{
    if (number < 0)
        pg_add_null(params);
    else
        pg_add_i16(params, (int16_t)number);
}

/* What depends on incident, recipient or else campaign, the first that is given: each has an index
 * of its own. */
static enum dsnd_err add_key(struct pg_params *params, const struct store_status_filter *filter,
                             enum statement *ret_statement)
{
    struct store_hash hash;
    enum dsnd_err err;

    if (filter->incident) {
        *ret_statement = STATEMENT_STATUS_LIST_INCIDENT;
        pg_add_i64(params, filter->incident);
        pg_add_text(params, filter->campaign);
        return DSND_OK;
    }
    if (!dsnd_str_present(filter->recipient)) {
        *ret_statement = STATEMENT_STATUS_LIST;
        if (dsnd_str_present(filter->campaign)) {
            *ret_statement = STATEMENT_STATUS_LIST_CAMPAIGN;
            pg_add_text(params, filter->campaign);
        }
        return DSND_OK;
    }
    *ret_statement = STATEMENT_STATUS_LIST_RECIPIENT;
    err = store_address_hash(filter->recipient, &hash);
    if (err)
        return err;
    pg_add_i64(params, store_hash_key(&hash));
    pg_add_text(params, filter->campaign);
    return DSND_OK;
}

enum dsnd_err store_status_list(struct store_conn *conn, const struct store_status_filter *filter,
                                struct dsnd_str before, unsigned limit,
                                struct store_rows **ret_rows)
{
    enum statement statement = STATEMENT_STATUS_LIST;
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, before);
    add_number(&params, filter->klass);
    add_number(&params, filter->action);
    pg_add_text(&params, filter->provider);
    pg_add_text(&params, filter->from);
    pg_add_text(&params, filter->to);
    pg_add_i64(&params, limit);
    err = add_key(&params, filter, &statement);
    if (!err)
        err = query_run(conn, statement, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_status_get(struct store_conn *conn, struct dsnd_str id,
                               struct store_rows **ret_rows)
{
    return query_one(query_run_text(conn, STATEMENT_STATUS_GET, id, ret_rows), ret_rows);
}

enum dsnd_err store_status_of_report(struct store_conn *conn, struct dsnd_str report_id,
                                     struct store_rows **ret_rows)
{
    return query_run_text(conn, STATEMENT_STATUS_OF_REPORT, report_id, ret_rows);
}

enum dsnd_err store_report_get(struct store_conn *conn, struct dsnd_str id,
                               struct store_rows **ret_rows)
{
    return query_one(query_run_text(conn, STATEMENT_REPORT_GET, id, ret_rows), ret_rows);
}

enum dsnd_err store_report_raw(struct store_conn *conn, struct dsnd_str id, struct dsnd_buf *out)
{
    return query_raw(conn, STATEMENT_REPORT_RAW, id, out);
}

enum dsnd_err store_quarantine_list(struct store_conn *conn, struct dsnd_str before, unsigned limit,
                                    struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, before);
    pg_add_i64(&params, limit);
    err = query_run(conn, STATEMENT_QUARANTINE_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_quarantine_get(struct store_conn *conn, struct dsnd_str id,
                                   struct store_rows **ret_rows)
{
    return query_one(query_run_text(conn, STATEMENT_QUARANTINE_GET, id, ret_rows), ret_rows);
}

enum dsnd_err store_quarantine_raw(struct store_conn *conn, struct dsnd_str id,
                                   struct dsnd_buf *out)
{
    return query_raw(conn, STATEMENT_QUARANTINE_RAW, id, out);
}
