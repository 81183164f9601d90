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
      " records, status_id, sample, rule, blocklist, proven)" \
      " SELECT *, 0 FROM unnest($1::int8[], $2::int2[], $3::text[], $4::text[], $5::text[]," \
      " $6::timestamptz[], $7::timestamptz[], $8::int8[], $9::int8[], $10::text[]," \
      " $11::text[], $12::text[]) ORDER BY 1 ON CONFLICT (key) WHERE closed_at IS NULL DO UPDATE" \
      " SET started_at = least(i.started_at, excluded.started_at)," \
      " last_at = greatest(i.last_at, excluded.last_at)," \
      " records = i.records + excluded.records," \
      " blocklist = coalesce(i.blocklist, excluded.blocklist)") \
    /* The rows of these keys are locked: nobody else writes what hangs on them. Until it is an
     * incident a delivery proves it once. */ \
    X(WRITE_INCIDENT_PARTS, \
      "WITH parts AS MATERIALIZED (SELECT i.id, i.opened_at, u.campaign_id, u.ref, u.at, u.proven," \
      "  date_bin(interval '10 minutes', u.at, TIMESTAMPTZ '2020-01-01 00:00Z') AS slot" \
      "  FROM unnest($1::int8[], $2::int8[], $3::timestamptz[], $4::int8[], $5::text[])" \
      "  u(key, campaign_id, at, proven, ref)" \
      "  JOIN incident i ON i.key = u.key AND i.closed_at IS NULL)," \
      " fresh AS (INSERT INTO incident_proof (incident_id, campaign_id, ref, slot)" \
      "  SELECT DISTINCT ON (1, 2, 3) id, campaign_id, ref, slot FROM parts" \
      "  WHERE opened_at IS NULL AND proven > 0 ORDER BY 1, 2, 3, at" \
      "  ON CONFLICT DO NOTHING RETURNING incident_id, slot)," \
      " proofs AS MATERIALIZED (SELECT incident_id AS id, slot, count(*) AS proven FROM fresh" \
      "  GROUP BY 1, 2)," \
      " slots AS (INSERT INTO incident_slot AS t (incident_id, slot, records, proven)" \
      "  SELECT s.id, s.slot, s.records, coalesce(p.proven, 0) FROM (" \
      "   SELECT id, slot, count(*) AS records FROM parts WHERE opened_at IS NULL GROUP BY 1, 2) s" \
      "  LEFT JOIN proofs p ON p.id = s.id AND p.slot = s.slot" \
      "  ORDER BY 1, 2 ON CONFLICT (incident_id, slot)" \
      "  DO UPDATE SET records = t.records + excluded.records," \
      "  proven = t.proven + excluded.proven)," \
      " sums AS (UPDATE incident i SET proven = i.proven + n.proven FROM (" \
      "   SELECT id, sum(proven) AS proven FROM (SELECT id, proven FROM proofs UNION ALL" \
      "    SELECT id, proven FROM parts WHERE opened_at IS NOT NULL) a GROUP BY id) n" \
      "  WHERE i.id = n.id AND n.proven > 0)" \
      " INSERT INTO incident_campaign AS t (incident_id, campaign_id, records)" \
      "  SELECT id, campaign_id, count(*) FROM parts GROUP BY 1, 2 ORDER BY 1, 2" \
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
