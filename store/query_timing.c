#include "store/query_timing.h"

#include "store/query_run.h"

enum dsnd_err store_delay_list(struct store_conn *conn, struct dsnd_str campaign,
                               struct store_rows **ret_rows)
{
    if (!dsnd_str_present(campaign))
        return query_run(conn, STATEMENT_DELAY_LIST, NULL, ret_rows);
    return query_run_text(conn, STATEMENT_DELAY_LIST_CAMPAIGN, campaign, ret_rows);
}

enum dsnd_err store_campaign_timings(struct store_conn *conn, struct dsnd_str key,
                                     struct store_rows **ret_rows)
{
    return query_run_text(conn, STATEMENT_CAMPAIGN_TIMINGS, key, ret_rows);
}
