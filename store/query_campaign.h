/*
 * Campaigns and their totals. Errors as store/query.h says.
 */
#ifndef DSND_STORE_QUERY_CAMPAIGN_H
#define DSND_STORE_QUERY_CAMPAIGN_H

#include <stdbool.h>

#include "store/query.h"

enum store_campaign_column {
    STORE_CAMPAIGN_ID,
    STORE_CAMPAIGN_KEY,
    STORE_CAMPAIGN_NAME,
    STORE_CAMPAIGN_TAGS, /* a JSON array */
    STORE_CAMPAIGN_CREATED_AT,
    STORE_CAMPAIGN_DECLARED,   /* sent, as declared; NULL when never */
    STORE_CAMPAIGN_REGISTERED, /* sends registered */
    STORE_CAMPAIGN_FAILED,
    STORE_CAMPAIGN_HARD,
    STORE_CAMPAIGN_SOFT,
    STORE_CAMPAIGN_BLOCK,
    STORE_CAMPAIGN_DELIVERED,
    STORE_CAMPAIGN_HANDED_OFF,
    STORE_CAMPAIGN_DELAY_OPEN,
    STORE_CAMPAIGN_DELAYED,
    STORE_CAMPAIGN_COMPLAINED,
    STORE_CAMPAIGN_STATUSES,
    STORE_CAMPAIGN_PROVEN,
    STORE_CAMPAIGN_FIRST_REPORT_AT,
    STORE_CAMPAIGN_LAST_REPORT_AT,
    STORE_CAMPAIGN_COLUMNS,
};

/* One campaign. DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err store_campaign_get(struct store_conn *conn, struct dsnd_str key,
                                 struct store_rows **ret_rows);

/* Absent members do not filter. */
struct store_campaign_filter {
    struct dsnd_str tag;
    struct dsnd_str from; /* created at or after; time text */
    struct dsnd_str to;   /* created before */
};
/* Newest first, those behind the id `before` (absent: all), at most `limit`. */
DSND_MUST_CHECK
enum dsnd_err store_campaign_list(struct store_conn *conn,
                                  const struct store_campaign_filter *filter,
                                  struct dsnd_str before, unsigned limit,
                                  struct store_rows **ret_rows);

/* What to set; what is not set stays as it is, or begins empty. */
struct store_campaign_change {
    bool set_name;
    bool set_tags;
    bool set_sent;
    struct dsnd_str name; /* absent: none */
    const struct dsnd_str *tags;
    size_t tag_count;
    bool has_sent; /* else none */
    int64_t sent;
};
DSND_MUST_CHECK
enum dsnd_err store_campaign_put(struct store_conn *conn, struct dsnd_str key,
                                 const struct store_campaign_change *change, bool *ret_created);

/* Failures by class: class number, count; the most first. `id` as in STORE_CAMPAIGN_ID. */
DSND_MUST_CHECK
enum dsnd_err store_campaign_classes(struct store_conn *conn, struct dsnd_str id,
                                     struct store_rows **ret_rows);

enum store_provider_column {
    STORE_PROVIDER_NAME, /* empty: unknown */
    STORE_PROVIDER_FAILED,
    STORE_PROVIDER_DELIVERED,
    STORE_PROVIDER_HANDED_OFF,
    STORE_PROVIDER_DELAY_OPEN,
    STORE_PROVIDER_DELAYED,
    STORE_PROVIDER_COMPLAINED,
};
DSND_MUST_CHECK
enum dsnd_err store_campaign_providers(struct store_conn *conn, struct dsnd_str id,
                                       struct store_rows **ret_rows);

#endif
