#include "store/query_unmatched.h"

#include "store/query_run.h"

enum dsnd_err store_unmatched_list(struct store_conn *conn, int64_t from_us, int64_t to_us,
                                   int64_t after, const struct dsnd_str *rules, size_t rule_count,
                                   int32_t limit, struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_time(&params, from_us);
    pg_add_time(&params, to_us);
    pg_add_i64(&params, after);
    pg_array_begin(&params, PG_TEXT);
    for (size_t i = 0; i < rule_count; i++)
        pg_elem_octets(&params, rules[i]);
    pg_array_end(&params);
    pg_add_i32(&params, limit);
    err = query_run(conn, STATEMENT_UNMATCHED_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}
