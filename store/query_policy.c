#include "store/query_policy.h"

#include "store/digest.h"
#include "store/query_run.h"

enum dsnd_err store_policy_list(struct store_conn *conn, int klass, struct store_rows **ret_rows)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    if (klass < 0)
        pg_add_null(&params);
    else
        pg_add_i16(&params, (int16_t)klass);
    err = query_run(conn, STATEMENT_POLICY_LIST, &params, ret_rows);
    pg_params_done(&params);
    return err;
}

static void add_seconds(struct pg_params *params, int32_t seconds)
{
    if (seconds < 0)
        pg_add_null(params);
    else
        pg_add_i32(params, seconds);
}

enum dsnd_err store_policy_put(struct store_conn *conn,
                               const struct store_suppression_policy *policy)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i16(&params, (int16_t)policy->klass);
    pg_add_i16(&params, policy->threshold);
    pg_add_i32(&params, policy->window_s);
    pg_add_i16(&params, policy->distinct_days);
    add_seconds(&params, policy->expires_s);
    add_seconds(&params, policy->probation_s);
    pg_add_bool(&params, policy->relapse_lasts);
    pg_add_i16(&params, policy->evidence);
    err = query_run(conn, STATEMENT_POLICY_PUT, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_actor_token(struct store_conn *conn, int64_t token_id)
{
    struct pg_params params;
    enum dsnd_err err;

    pg_params_init(&params);
    pg_add_i64(&params, token_id);
    err = query_run(conn, STATEMENT_ACTOR_TOKEN, &params, NULL);
    pg_params_done(&params);
    return err;
}

enum dsnd_err store_actor_name(struct store_conn *conn, const char *name)
{
    return query_run_text(conn, STATEMENT_ACTOR_NAME, dsnd_str_of(name), NULL);
}

enum dsnd_err store_suppression_history(struct store_conn *conn, struct dsnd_str address,
                                        struct store_rows **ret_rows)
{
    struct store_hash hash;
    struct pg_params params;
    enum dsnd_err err = store_address_hash(address, &hash);

    pg_params_init(&params);
    if (!err) {
        pg_add_bytea(&params, dsnd_str_make((const char *)hash.octets, sizeof(hash.octets)));
        err = query_run(conn, STATEMENT_SUPPRESSION_HISTORY, &params, ret_rows);
    }
    pg_params_done(&params);
    return err;
}
