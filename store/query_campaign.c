#include "store/query_campaign.h"

#include "store/query_run.h"

enum dsnd_err store_campaign_get(struct store_conn *conn, struct dsnd_str key,
                                 struct store_rows **ret_rows)
{
    return query_one(query_run_text(conn, STATEMENT_CAMPAIGN_GET, key, ret_rows), ret_rows);
}

enum dsnd_err store_campaign_list(struct store_conn *conn,
                                  const struct store_campaign_filter *filter,
                                  struct dsnd_str before, unsigned limit,
                                  struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, before);
    pg_add_text(&params, filter->tag);
    pg_add_text(&params, filter->from);
    pg_add_text(&params, filter->to);
    pg_add_i64(&params, limit);
    err = query_run(conn, STATEMENT_CAMPAIGN_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_campaign_put(struct store_conn *conn, struct dsnd_str key,
                                 const struct store_campaign_change *change, bool *ret_created)
{
    struct store_rows *rows = NULL;
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_text(&params, key);
    pg_add_text(&params, change->name);
    pg_add_bool(&params, change->set_name);
    pg_array_begin(&params, PG_TEXT);
    for (size_t i = 0; i < change->tag_count; i++)
        pg_elem_octets(&params, change->tags[i]);
    pg_array_end(&params);
    pg_add_bool(&params, change->set_tags);
    if (change->has_sent)
        pg_add_i64(&params, change->sent);
    else
        pg_add_null(&params);
    pg_add_bool(&params, change->set_sent);
    err = query_run(conn, STATEMENT_CAMPAIGN_PUT, &params, &rows);
    if (!err)
        *ret_created = dsnd_str_eq(store_rows_value(rows, 0, 0), DSND_STR("true"));
    store_rows_free(rows);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_campaign_classes(struct store_conn *conn, struct dsnd_str id,
                                     struct store_rows **ret_rows)
{
    return query_run_text(conn, STATEMENT_CAMPAIGN_CLASSES, id, ret_rows);
}

enum dsnd_err store_campaign_providers(struct store_conn *conn, struct dsnd_str id,
                                       struct store_rows **ret_rows)
{
    return query_run_text(conn, STATEMENT_CAMPAIGN_PROVIDERS, id, ret_rows);
}
