#include "store/query_unmatched.h"

#include "store/query_run.h"

enum dsnd_err store_unmatched_list(struct store_conn *conn,
                                   const struct store_unmatched_filter *filter, int64_t after,
                                   int32_t limit, struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_time(&params, filter->from_us);
    pg_add_time(&params, filter->to_us);
    pg_add_i64(&params, after);
    pg_array_begin(&params, PG_TEXT);
    for (size_t i = 0; i < filter->rule_count; i++)
        pg_elem_octets(&params, filter->rules[i]);
    pg_array_end(&params);
    pg_add_i32(&params, limit);
    err = query_run(conn, STATEMENT_UNMATCHED_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}
