/*
 * Statements of incidents: the writer's, maintenance's and the API's. Rows X(id, sql). Private to
 * store/.
 */
#ifndef DSND_STORE_STATEMENTS_INCIDENT_H
#define DSND_STORE_STATEMENTS_INCIDENT_H

/* clang-format off */
#define QUERY_INCIDENT \
    "SELECT i.id::text, (i.closed_at IS NULL)::int::text, nullif(i.provider, '')," \
    " nullif(i.sender, ''), i.class::text, i.signature, nullif(i.sample, ''), i.rule, i.blocklist," \
    " i.started_at::text, (CASE WHEN i.closed_at IS NOT NULL THEN i.last_at END)::text," \
    " i.last_at::text, i.opened_at::text, i.closed_at::text, i.records::text, i.proven::text," \
    " (SELECT count(*) FROM incident_campaign c WHERE c.incident_id = i.id" \
    "  AND c.campaign_id <> 0)::text, i.status_id::text" \
    " FROM incident i WHERE i.opened_at IS NOT NULL"

#define STATEMENTS_INCIDENT(X) \
    X(WRITE_INCIDENT, \
      "INSERT INTO incident AS i (key, class, provider, sender, signature, started_at, last_at," \
      " records, proven, status_id, sample, rule, blocklist)" \
      " SELECT * FROM unnest($1::int8[], $2::int2[], $3::text[], $4::text[], $5::text[]," \
      " $6::timestamptz[], $7::timestamptz[], $8::int8[], $9::int8[], $10::int8[], $11::text[]," \
      " $12::text[], $13::text[]) ORDER BY 1 ON CONFLICT (key) WHERE closed_at IS NULL DO UPDATE" \
      " SET started_at = least(i.started_at, excluded.started_at)," \
      " last_at = greatest(i.last_at, excluded.last_at)," \
      " records = i.records + excluded.records, proven = i.proven + excluded.proven," \
      " blocklist = coalesce(i.blocklist, excluded.blocklist)") \
    /* The rows of these keys are locked: nobody else writes what hangs on them. */ \
    X(WRITE_INCIDENT_PARTS, \
      "WITH sums AS MATERIALIZED (SELECT u.key, u.campaign_id," \
      "  date_bin(interval '10 minutes', u.at, TIMESTAMPTZ '2020-01-01 00:00Z') AS slot," \
      "  count(*) AS records, sum(u.proven) AS proven" \
      "  FROM unnest($1::int8[], $2::int8[], $3::timestamptz[], $4::int8[])" \
      "  u(key, campaign_id, at, proven) GROUP BY 1, 2, 3)," \
      " parts AS MATERIALIZED (SELECT i.id, i.opened_at, s.campaign_id, s.slot, s.records," \
      "  s.proven" \
      "  FROM sums s JOIN incident i ON i.key = s.key AND i.closed_at IS NULL)," \
      " slots AS (INSERT INTO incident_slot AS t (incident_id, slot, records, proven)" \
      "  SELECT id, slot, sum(records), sum(proven) FROM parts WHERE opened_at IS NULL" \
      "  GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (incident_id, slot)" \
      "  DO UPDATE SET records = t.records + excluded.records," \
      "  proven = t.proven + excluded.proven)" \
      " INSERT INTO incident_campaign AS t (incident_id, campaign_id, records)" \
      "  SELECT id, campaign_id, sum(records) FROM parts GROUP BY 1, 2 ORDER BY 1, 2" \
      "  ON CONFLICT (incident_id, campaign_id)" \
      "  DO UPDATE SET records = t.records + excluded.records") \
    X(INCIDENT_TURN, "SELECT incident_turn($1, $2)") \
    X(INCIDENT_OPEN, \
      "SELECT class::text, count(*)::text FROM incident" \
      " WHERE opened_at IS NOT NULL AND closed_at IS NULL GROUP BY class ORDER BY class") \
    X(INCIDENT_COUNT, \
      "SELECT count(*)::text FROM incident WHERE opened_at IS NOT NULL AND closed_at IS NULL") \
    /* Those that were going on in the time from $5 to $6. */ \
    X(INCIDENT_LIST, \
      QUERY_INCIDENT " AND ($1::text IS NULL OR i.id < $1::text::bigint)" \
      " AND ($2::boolean IS NULL OR (i.closed_at IS NULL) = $2)" \
      " AND ($3::text IS NULL OR i.provider = $3)" \
      " AND ($4::smallint IS NULL OR i.class = $4)" \
      " AND ($5::text IS NULL OR i.closed_at IS NULL OR i.last_at >= $5::text::timestamptz)" \
      " AND ($6::text IS NULL OR i.started_at < $6::text::timestamptz)" \
      " ORDER BY i.id DESC LIMIT $7") \
    X(INCIDENT_GET, QUERY_INCIDENT " AND i.id = $1") \
    X(INCIDENT_CAMPAIGNS, \
      "SELECT c.key, t.records::text FROM incident_campaign t" \
      " LEFT JOIN campaign c ON c.id = t.campaign_id AND c.id <> 0" \
      " WHERE t.incident_id = $1 ORDER BY t.records DESC, t.campaign_id LIMIT 100")
/* clang-format on */

#endif
