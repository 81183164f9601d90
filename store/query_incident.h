/*
 * Incidents: a cause on the sender's side that made a provider refuse mail for some time. Errors as
 * store/query.h says.
 */
#ifndef DSND_STORE_QUERY_INCIDENT_H
#define DSND_STORE_QUERY_INCIDENT_H

#include "parse/report.h"
#include "store/query.h"

enum store_incident_column {
    STORE_INCIDENT_ID,
    STORE_INCIDENT_OPEN, /* 1 or 0 */
    STORE_INCIDENT_PROVIDER,
    STORE_INCIDENT_SENDER, /* the address of ours that was refused, else the reporting MTA */
    STORE_INCIDENT_CLASS,  /* enum report_class */
    STORE_INCIDENT_SIGNATURE,
    STORE_INCIDENT_SAMPLE,
    STORE_INCIDENT_RULE,
    STORE_INCIDENT_BLOCKLIST,
    STORE_INCIDENT_STARTED_AT,
    STORE_INCIDENT_ENDED_AT, /* NULL while it is open */
    STORE_INCIDENT_LAST_AT,
    STORE_INCIDENT_OPENED_AT,
    STORE_INCIDENT_CLOSED_AT,
    STORE_INCIDENT_RECORDS,
    STORE_INCIDENT_PROVEN,
    STORE_INCIDENT_CAMPAIGNS, /* how many were hit */
    STORE_INCIDENT_STATUS_ID, /* a record of it */
    STORE_INCIDENT_COLUMNS,
};

/* Absent members, and numbers below 0, do not filter. */
struct store_incident_filter {
    struct dsnd_str provider;
    struct dsnd_str from; /* going on at or after; time text */
    struct dsnd_str to;   /* begun before */
    int klass;            /* enum report_class */
    int open;             /* 1 open, 0 closed */
};
/* Newest first, those behind the id `before` (absent: all), at most `limit`. */
DSND_MUST_CHECK
enum dsnd_err store_incident_list(struct store_conn *conn,
                                  const struct store_incident_filter *filter,
                                  struct dsnd_str before, unsigned limit,
                                  struct store_rows **ret_rows);
/* DSND_ERR_NOT_FOUND. */
DSND_MUST_CHECK
enum dsnd_err store_incident_get(struct store_conn *conn, int64_t id, struct store_rows **ret_rows);

enum store_incident_campaign_column {
    STORE_INCIDENT_CAMPAIGN_KEY, /* NULL: reports that name no campaign */
    STORE_INCIDENT_CAMPAIGN_RECORDS,
};
/* Those it hit most, at most 100. */
DSND_MUST_CHECK
enum dsnd_err store_incident_campaigns(struct store_conn *conn, int64_t id,
                                       struct store_rows **ret_rows);

/* How many are open, by class. */
DSND_MUST_CHECK
enum dsnd_err store_incident_open(struct store_conn *conn, int64_t ret_open[REPORT_CLASS_COUNT]);

#endif
