/*
 * Statements that only read, and those by which the API changes what people own: campaigns, sends,
 * suppressions, tokens. Rows X(id, sql). Private to store/.
 *
 * Results are text, in the order of the enums of the query_*.h headers; parameters given as text
 * are cast here, so that a value PostgreSQL cannot read is an error of data (SQLSTATE class 22).
 */
#ifndef DSND_STORE_STATEMENTS_QUERY_H
#define DSND_STORE_STATEMENTS_QUERY_H

/* clang-format off */
#define QUERY_CAMPAIGN \
    "SELECT c.id::text, c.key, c.name, to_json(c.tags)::text, c.created_at::text," \
    " c.sent_declared::text, coalesce(t.sent, 0)::text, coalesce(t.failed, 0)::text," \
    " coalesce(t.hard, 0)::text, coalesce(t.soft, 0)::text, coalesce(t.block, 0)::text," \
    " coalesce(t.delivered, 0)::text, coalesce(t.handed_off, 0)::text," \
    " coalesce(t.delay_open, 0)::text, coalesce(t.delayed, 0)::text," \
    " coalesce(t.complained, 0)::text, coalesce(t.statuses, 0)::text," \
    " coalesce(t.proven, 0)::text, t.first_report_at::text, t.last_report_at::text" \
    " FROM campaign c LEFT JOIN total_campaign t ON t.campaign_id = c.id WHERE c.id <> 0"

#define QUERY_STATUS \
    "SELECT s.id::text, s.report_id::text, c.key, s.ref, s.received_at::text, s.recipient," \
    " s.final_recipient, s.original_recipient, s.proven_recipient, s.action::text, s.status," \
    " s.smtp_code::text, s.smtp_status, s.class::text, s.cause::text, s.permanence::text," \
    " s.fault::text, nullif(s.provider, ''), s.remote_mta, s.diagnostic, s.will_retry_until," \
    " s.retry_after_s::text, s.rule, s.matched, s.rules_version, s.blocklist, s.evidence::text" \
    " FROM status s LEFT JOIN campaign c ON c.id = s.campaign_id AND c.id <> 0 WHERE "
/* $1 before id, $2 class, $3 action, $4 provider, $5 from, $6 to, $7 limit */
#define QUERY_STATUS_FILTER \
    "($1::text IS NULL OR s.id < $1::text::bigint)" \
    " AND ($2::smallint IS NULL OR s.class = $2) AND ($3::smallint IS NULL OR s.action = $3)" \
    " AND ($4::text IS NULL OR s.provider = $4)" \
    " AND ($5::text IS NULL OR (s.id >= record_floor(($5::text::timestamptz)::date)" \
    " AND s.received_at >= $5::text::timestamptz))" \
    " AND ($6::text IS NULL OR (s.id < record_floor(($6::text::timestamptz)::date + 1)" \
    " AND s.received_at < $6::text::timestamptz))"
#define QUERY_STATUS_PAGE " ORDER BY s.id DESC LIMIT $7"

#define QUERY_SUPPRESSION \
    "SELECT s.address_hash, s.address, c.key, s.ref, s.class, s.evidence, s.source, s.pending," \
    " s.created_at, s.expires_at, s.status_ids, s.note" \
    " FROM suppression s LEFT JOIN campaign c ON c.id = s.campaign_id AND c.id <> 0" \
    " WHERE (s.expires_at IS NULL OR s.expires_at > now())"

/* Entries by cause: $1 class, $2 from, $3 to, $4 campaign, $5 rule, $6 provider of a record behind,
 * $7 incident: a record of it, or of its provider while it went on. */
#define QUERY_UNDO \
    " FROM suppression s WHERE s.source = 1 AND ($1::smallint IS NULL OR s.class = $1)" \
    " AND ($2::text IS NULL OR s.created_at >= $2::text::timestamptz)" \
    " AND ($3::text IS NULL OR s.created_at < $3::text::timestamptz)" \
    " AND ($4::text IS NULL OR s.campaign_id = (SELECT id FROM campaign WHERE key = $4))" \
    " AND (($5::text IS NULL AND $6::text IS NULL) OR EXISTS (SELECT" \
    " FROM unnest(s.status_ids) u (id) JOIN status t ON t.id = u.id" \
    " WHERE ($5 IS NULL OR t.rule = $5) AND ($6 IS NULL OR t.provider = $6)))" \
    " AND ($7::bigint IS NULL OR EXISTS (SELECT FROM incident i," \
    " unnest(s.status_ids) u (id) JOIN status t ON t.id = u.id" \
    " WHERE i.id = $7 AND t.received_at >= i.started_at" \
    " AND (i.closed_at IS NULL OR t.received_at <= i.last_at)" \
    " AND (t.incident_key = i.key OR (i.provider <> '' AND t.provider = i.provider))))"

#define QUERY_QUARANTINE \
    "SELECT id::text, received_at::text, stored_at::text, reason::text, error, peer, helo," \
    " mail_from, to_json(envelope_to)::text, octets::text, replayed_at::text FROM quarantine"

/* $1 from, $2 to, $3 0 hour, 1 day or 2 all in one, $4 time zone, $5 by provider, $6 by class,
 * $7 by campaign, $8 limit. Where classes are told apart, the rate of each is of all that was sent.
 * First the sums, then their names and texts: made of each row they would take longer than all else.
 * Where midnight comes twice (Azores, Havana) a day begins with the first. */
#define QUERY_METRICS(table) \
    "SELECT (CASE WHEN $3::int = 1 AND timezone($4, x.b - interval '1 hour') = timezone($4, x.b)" \
    " THEN x.b - interval '1 hour' ELSE x.b END)::text, x.p, x.k::text, c.key," \
    " (CASE WHEN $6 THEN sum(x.sent) OVER (PARTITION BY x.b, x.p, x.g) ELSE x.sent END)::text," \
    " x.failed::text, x.hard::text, x.soft::text, x.block::text, x.delivered::text," \
    " x.handed_off::text, x.delay_open::text, x.delayed::text, x.complained::text," \
    " x.statuses::text, x.proven::text FROM (SELECT CASE $3::int" \
    " WHEN 0 THEN date_trunc('hour', h.hour, $4) WHEN 1 THEN date_trunc('day', h.hour, $4) END AS b," \
    " CASE WHEN $5 THEN coalesce(nullif(h.provider, ''), 'unknown') END AS p," \
    " CASE WHEN $6 THEN h.class END AS k, CASE WHEN $7 THEN h.campaign_id END AS g," \
    " sum(h.sent) AS sent, sum(h.failed) AS failed, sum(h.hard) AS hard, sum(h.soft) AS soft," \
    " sum(h.block) AS block, sum(h.delivered) AS delivered, sum(h.handed_off) AS handed_off," \
    " sum(h.delay_open) AS delay_open, sum(h.delayed) AS delayed, sum(h.complained) AS complained," \
    " sum(h.statuses) AS statuses, sum(h.proven) AS proven FROM " table " h" \
    " WHERE h.hour >= $1::text::timestamptz AND h.hour < $2::text::timestamptz"
#define QUERY_METRICS_ONE(table) \
    QUERY_METRICS(table) " AND h.campaign_id = (SELECT id FROM campaign WHERE key = $9)"
#define QUERY_METRICS_PAGE \
    " GROUP BY 1, 2, 3, 4" \
    " HAVING sum(h.sent + h.failed + h.delivered + h.handed_off + h.delay_open + h.delayed" \
    " + h.complained + h.statuses) > 0) x" \
    " LEFT JOIN campaign c ON c.id = x.g" \
    " ORDER BY x.b, c.key NULLS FIRST, x.p NULLS FIRST, x.k NULLS FIRST LIMIT $8"

/* The quarters of an hour in which ages of open delays end. */
#define QUERY_DELAY_ENDS \
    "(SELECT total_bucket(now() - interval '1 hour') AS h1," \
    " total_bucket(now() - interval '6 hours') AS h6," \
    " total_bucket(now() - interval '1 day') AS d1) a"
#define QUERY_DELAY_OF(slot) \
    " FROM delivery d WHERE d.state = 1 AND d.delay_expired_at IS NULL" \
    " AND d.delayed_at >= " slot " AND d.delayed_at < " slot " + interval '15 minutes'"
#define QUERY_DELAYS(open, campaign) \
    " SELECT coalesce(nullif(coalesce(o.provider, t.provider), ''), 'unknown')," \
    " coalesce(o.n, 0)::text, coalesce(o.h1, 0)::text, coalesce(o.h6, 0)::text," \
    " coalesce(o.d1, 0)::text, coalesce(o.older, 0)::text, o.oldest::text," \
    " coalesce(t.delivered, 0)::text, coalesce(t.handed_off, 0)::text," \
    " coalesce(t.failed, 0)::text, coalesce(t.expired, 0)::text" \
    " FROM " open " o FULL JOIN (SELECT * FROM total_delay WHERE campaign_id = " campaign \
    "  AND delivered + handed_off + failed + expired > 0) t ON t.provider = o.provider" \
    " ORDER BY coalesce(o.n, 0) DESC, 1"

#define STATEMENTS_QUERY(X) \
    X(SCHEMA_VERSION, "SELECT coalesce(max(version), 0)::int4 FROM schema_migration") \
    X(TOKEN_FIND, \
      "SELECT id::text, scopes::text, encode(hash, 'hex') FROM token" \
      " WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())") \
    X(TOKEN_ADD, \
      "INSERT INTO token (hash, name, scopes, expires_at)" \
      " VALUES ($1, $2, $3, $4::text::timestamptz) RETURNING id::text") \
    X(TOKEN_LIST, \
      "SELECT id::text, name, scopes::text, created_at::text, expires_at::text, revoked_at::text" \
      " FROM token ORDER BY id") \
    X(TOKEN_REVOKE, \
      "UPDATE token SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL" \
      " RETURNING id::text") \
    X(IDEMPOTENCY_BEGIN, \
      "INSERT INTO idempotency (token_id, key, request_hash) VALUES ($1, $2, $3)" \
      " ON CONFLICT (token_id, key) DO UPDATE SET request_hash = excluded.request_hash," \
      " status = NULL, content_type = NULL, body = NULL, created_at = now()" \
      " WHERE idempotency.created_at < now() - CASE WHEN idempotency.status IS NULL" \
      " THEN interval '2 minutes' ELSE interval '1 day' END" \
      " RETURNING key") \
    X(IDEMPOTENCY_GET, \
      "SELECT encode(request_hash, 'hex'), status::text, content_type, body FROM idempotency" \
      " WHERE token_id = $1 AND key = $2") \
    X(IDEMPOTENCY_END, \
      "UPDATE idempotency SET status = $3, content_type = $4, body = $5" \
      " WHERE token_id = $1 AND key = $2") \
    X(CAMPAIGN_GET, QUERY_CAMPAIGN " AND c.key = $1") \
    X(CAMPAIGN_LIST, \
      QUERY_CAMPAIGN " AND ($1::text IS NULL OR c.id < $1::text::bigint)" \
      " AND ($2::text IS NULL OR $2 = ANY (c.tags))" \
      " AND ($3::text IS NULL OR c.created_at >= $3::text::timestamptz)" \
      " AND ($4::text IS NULL OR c.created_at < $4::text::timestamptz)" \
      " ORDER BY c.id DESC LIMIT $5") \
    X(CAMPAIGN_PUT, \
      "INSERT INTO campaign AS c (key, name, tags, sent_declared)" \
      " VALUES ($1, $2, coalesce($4::text[], '{}'), $6)" \
      " ON CONFLICT (key) DO UPDATE SET" \
      " name = CASE WHEN $3 THEN excluded.name ELSE c.name END," \
      " tags = CASE WHEN $5 THEN excluded.tags ELSE c.tags END," \
      " sent_declared = CASE WHEN $7 THEN excluded.sent_declared ELSE c.sent_declared END," \
      " updated_at = now() RETURNING (xmax = 0)::text") \
    X(CAMPAIGN_CLASSES, \
      "SELECT class::text, sum(failed)::text FROM total_breakdown" \
      " WHERE campaign_id = $1::text::bigint GROUP BY class HAVING sum(failed) > 0" \
      " ORDER BY sum(failed) DESC, class") \
    X(CAMPAIGN_PROVIDERS, \
      "SELECT provider, sum(failed)::text, sum(delivered)::text, sum(handed_off)::text," \
      " sum(delay_open)::text, sum(delayed)::text, sum(complained)::text FROM total_breakdown" \
      " WHERE campaign_id = $1::text::bigint GROUP BY provider" \
      " HAVING sum(failed + delivered + handed_off + delay_open + delayed + complained) > 0" \
      " ORDER BY sum(failed) DESC, provider") \
    X(CAMPAIGN_TIMINGS, \
      "SELECT coalesce(nullif(d.provider, ''), 'unknown') AS p," \
      " count(f.s)::text, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY f.s))::text," \
      " round(percentile_cont(0.95) WITHIN GROUP (ORDER BY f.s))::text," \
      " count(e.s)::text, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY e.s))::text," \
      " round(percentile_cont(0.95) WITHIN GROUP (ORDER BY e.s))::text" \
      " FROM delivery d," \
      " LATERAL (SELECT CASE WHEN d.state = 4 AND d.sent_registered AND d.outcome_at >= d.sent_at" \
      "  THEN extract(epoch FROM d.outcome_at - d.sent_at)::float8 END) AS f (s)," \
      " LATERAL (SELECT CASE WHEN d.state > 1 AND d.outcome_at >= d.delayed_at" \
      "  THEN extract(epoch FROM d.outcome_at - d.delayed_at)::float8 END) AS e (s)" \
      " WHERE d.campaign_id = (SELECT id FROM campaign WHERE key = $1)" \
      " AND (d.state = 4 AND d.sent_registered OR d.state > 1 AND d.delayed_at IS NOT NULL)" \
      " GROUP BY 1 HAVING count(f.s) + count(e.s) > 0 ORDER BY 1") \
    X(DELAY_LIST, \
      "WITH o AS (SELECT provider, sum(open) AS n, sum(h1) AS h1, sum(h6) AS h6, sum(d1) AS d1," \
      " sum(older) AS older, min(slot) AS first FROM (" \
      /* Whole quarters of an hour, and the deliveries of those in which an age ends. */ \
      "SELECT t.slot, t.provider, t.open, CASE WHEN t.slot > a.h1 THEN t.open ELSE 0 END AS h1," \
      " CASE WHEN t.slot > a.h6 AND t.slot < a.h1 THEN t.open ELSE 0 END AS h6," \
      " CASE WHEN t.slot > a.d1 AND t.slot < a.h6 THEN t.open ELSE 0 END AS d1," \
      " CASE WHEN t.slot < a.d1 THEN t.open ELSE 0 END AS older" \
      " FROM total_delay_slot t, " QUERY_DELAY_ENDS " WHERE t.open > 0" \
      " UNION ALL SELECT e.slot, d.provider, 0, (d.delayed_at > now() - interval '1 hour')::int," \
      " (d.delayed_at <= now() - interval '1 hour'" \
      "  AND d.delayed_at > now() - interval '6 hours')::int," \
      " (d.delayed_at <= now() - interval '6 hours'" \
      "  AND d.delayed_at > now() - interval '1 day')::int," \
      " (d.delayed_at <= now() - interval '1 day')::int" \
      " FROM " QUERY_DELAY_ENDS " CROSS JOIN LATERAL (VALUES (a.h1), (a.h6), (a.d1)) e (slot)" \
      " CROSS JOIN LATERAL (SELECT d.provider, d.delayed_at" QUERY_DELAY_OF("e.slot") ") d) x" \
      " GROUP BY 1)" \
      QUERY_DELAYS("(SELECT o.*, (SELECT min(d.delayed_at)" QUERY_DELAY_OF("o.first") \
                   " AND d.provider = o.provider) AS oldest FROM o)", "-1")) \
    X(DELAY_LIST_CAMPAIGN, \
      "WITH o AS (SELECT d.provider, count(*) AS n, count(*) FILTER (WHERE a.s < 3600) AS h1," \
      " count(*) FILTER (WHERE a.s >= 3600 AND a.s < 21600) AS h6," \
      " count(*) FILTER (WHERE a.s >= 21600 AND a.s < 86400) AS d1," \
      " count(*) FILTER (WHERE a.s >= 86400) AS older, min(d.delayed_at) AS oldest" \
      " FROM delivery d, LATERAL (SELECT extract(epoch FROM now() - d.delayed_at)) AS a (s)" \
      " WHERE d.state = 1 AND d.delay_expired_at IS NULL" \
      " AND d.campaign_id = (SELECT id FROM campaign WHERE key = $1) GROUP BY 1)" \
      QUERY_DELAYS("o", "(SELECT id FROM campaign WHERE key = $1)")) \
    X(CAMPAIGN_ENSURE, \
      "INSERT INTO campaign (key) SELECT DISTINCT k FROM unnest($1::text[]) k ORDER BY k" \
      " ON CONFLICT DO NOTHING") \
    X(SEND_ADD, \
      "SELECT is_new::text FROM send_add($1::text[], $2::text[], $3::text[], $4::bigint[]," \
      " $5::text[], $6::text[], $7::text[], $8::timestamptz[])") \
    /* By what is told apart: see store_metrics(). */ \
    X(METRICS_ALL, \
      QUERY_METRICS("(SELECT 0 AS campaign_id, * FROM total_hour_all)") QUERY_METRICS_PAGE) \
    X(METRICS_EACH, QUERY_METRICS("total_hour") QUERY_METRICS_PAGE) \
    X(METRICS_CAMPAIGN, QUERY_METRICS_ONE("total_hour") QUERY_METRICS_PAGE) \
    X(METRICS_SENT_EACH, QUERY_METRICS("total_cohort") QUERY_METRICS_PAGE) \
    X(METRICS_SENT_CAMPAIGN, QUERY_METRICS_ONE("total_cohort") QUERY_METRICS_PAGE) \
    X(METRICS_ROLL_ALL, \
      QUERY_METRICS("total_roll") \
      " AND h.basis = $9 AND h.campaign_id = -1 AND h.dims = $10" QUERY_METRICS_PAGE) \
    X(METRICS_ROLL_EACH, \
      QUERY_METRICS("total_roll") \
      " AND h.basis = 0 AND h.campaign_id >= 0 AND h.dims = 0" QUERY_METRICS_PAGE) \
    X(METRICS_ROLL_CAMPAIGN, \
      QUERY_METRICS_ONE("total_roll") " AND h.basis = 0 AND h.dims = 0" QUERY_METRICS_PAGE) \
    /* Also tells whether hours there begin with those of UTC, from as long before the time as it */ \
    /* takes (compare=previous) to its end; there are records since 2020. */ \
    X(TIME_ZONE_FIND, \
      "SELECT bool_and(extract(minute FROM timezone($1, date_trunc('hour', t, 'UTC'))) = 0)::text" \
      " FROM (SELECT unnest(ARRAY[timestamptz '2020-01-01 00:00Z', $2::text::timestamptz," \
      " least($3::text::timestamptz, now() + interval '1 year')]) UNION ALL SELECT generate_series(" \
      " greatest($2::text::timestamptz - ($3::text::timestamptz - $2::text::timestamptz)," \
      "  '2020-01-01 00:00Z'), least($3::text::timestamptz, now() + interval '1 year')," \
      " interval '30 days')) x (t)") \
    X(STATUS_LIST, QUERY_STATUS QUERY_STATUS_FILTER QUERY_STATUS_PAGE) \
    X(STATUS_LIST_CAMPAIGN, \
      QUERY_STATUS "s.campaign_id = (SELECT id FROM campaign WHERE key = $8) AND " \
      QUERY_STATUS_FILTER QUERY_STATUS_PAGE) \
    X(STATUS_LIST_RECIPIENT, \
      QUERY_STATUS "s.recipient_key = $8" \
      " AND ($9::text IS NULL OR s.campaign_id = (SELECT id FROM campaign WHERE key = $9)) AND " \
      QUERY_STATUS_FILTER QUERY_STATUS_PAGE) \
    X(STATUS_LIST_INCIDENT, \
      QUERY_STATUS "s.incident_key = (SELECT key FROM incident WHERE id = $8)" \
      " AND s.id >= (SELECT record_floor((started_at AT TIME ZONE 'UTC')::date)" \
      "  FROM incident WHERE id = $8)" \
      " AND s.id < (SELECT record_floor((last_at AT TIME ZONE 'UTC')::date + 1)" \
      "  FROM incident WHERE id = $8)" \
      " AND s.received_at >= (SELECT started_at FROM incident WHERE id = $8)" \
      " AND s.received_at <= (SELECT last_at FROM incident WHERE id = $8)" \
      " AND ($9::text IS NULL OR s.campaign_id = (SELECT id FROM campaign WHERE key = $9)) AND " \
      QUERY_STATUS_FILTER QUERY_STATUS_PAGE) \
    X(STATUS_GET, QUERY_STATUS "s.id = $1::text::bigint") \
    X(STATUS_OF_REPORT, \
      QUERY_STATUS "s.report_id = $1::text::bigint" \
      " AND s.id >= record_floor(DATE '2020-01-01' + ($1::text::bigint >> 38)::int)" \
      " AND s.id < record_floor(DATE '2020-01-02' + ($1::text::bigint >> 38)::int)" \
      " ORDER BY s.ordinal LIMIT 10000") \
    X(REPORT_GET, \
      "SELECT r.id::text, c.key, r.received_at::text, r.stored_at::text, r.kind::text," \
      " r.feedback::text, r.attribution::text, r.evidence::text, r.source::text, r.tls::text," \
      " r.peer, r.helo, r.mail_from, to_json(r.envelope_to)::text," \
      " to_json(r.envelope_parameters)::text, r.smtp_envelope_id, r.envelope_id, r.reporting_mta, r.arrival_date, r.message_id, r.subject," \
      " r.from_address, r.returned_message_id, r.returned_to, r.octets::text," \
      " r.recipients::text, r.recipients_dropped::text, r.rules_version, r.warnings::text," \
      " EXISTS (SELECT FROM report_raw w WHERE w.id = r.id)::text" \
      " FROM report r LEFT JOIN campaign c ON c.id = r.campaign_id AND c.id <> 0" \
      " WHERE r.id = $1::text::bigint") \
    X(REPORT_RAW, "SELECT octets, raw FROM report_raw WHERE id = $1::text::bigint") \
    X(SUPPRESSION_GET, \
      QUERY_SUPPRESSION " AND s.address_hash IN ($1::bytea, erased_hash($1::bytea))" \
      " ORDER BY s.pending, s.expires_at DESC NULLS FIRST LIMIT 1") \
    X(SUPPRESSION_LIST, \
      QUERY_SUPPRESSION \
      " AND (s.created_at, s.address_hash) <" \
      "  (coalesce($1::text::timestamptz, 'infinity'), coalesce(decode($2::text, 'hex'), ''))" \
      " AND ($3::smallint IS NULL OR s.class = $3)" \
      " AND ($4::boolean IS NULL OR s.pending = $4)" \
      " AND ($5::text IS NULL OR s.created_at >= $5::text::timestamptz)" \
      " AND ($6::text IS NULL OR s.created_at < $6::text::timestamptz)" \
      " AND ($7::text IS NULL OR c.key = $7)" \
      /* Those whose hash somebody else can compute: of an address, not of a ref or an erased one. */ \
      " AND ($9::boolean IS NOT TRUE OR (s.ref IS NULL AND (s.address IS NOT NULL OR s.given_as_hash)))" \
      " ORDER BY s.created_at DESC, s.address_hash DESC LIMIT $8") \
    /* Under the hash of the address, else under that which an erased one has. */ \
    /* Two look-ups an address, each by an index whatever the numbers are: LIMIT keeps them so. */ \
    X(SUPPRESSION_CHECK, \
      "SELECT coalesce(s.address_hash, e.address_hash) IS NOT NULL, coalesce(s.class, e.class)," \
      " coalesce(s.created_at, e.created_at)," \
      " CASE WHEN s.address_hash IS NULL THEN e.expires_at ELSE s.expires_at END" \
      " FROM unnest($1::bytea[]) WITH ORDINALITY AS a (hash, ord)" \
      " CROSS JOIN (SELECT key FROM erasure_key LIMIT 1) k" \
      " LEFT JOIN LATERAL (SELECT * FROM suppression s WHERE s.address_hash = a.hash" \
      "  AND NOT s.pending AND (s.expires_at IS NULL OR s.expires_at > now()) LIMIT 1) s ON true" \
      " LEFT JOIN LATERAL (SELECT * FROM suppression e WHERE e.address IS NULL" \
      "  AND e.ref IS NULL AND e.address_hash = sha256(k.key || sha256(k.key || a.hash))" \
      "  AND NOT e.pending AND (e.expires_at IS NULL OR e.expires_at > now())" \
      "  AND s.address_hash IS NULL LIMIT 1) e ON true" \
      " ORDER BY a.ord") \
    /* Of several of one address the last holds; what a person put is theirs, whatever was there. */ \
    X(SUPPRESSION_PUT, \
      "WITH input AS (SELECT DISTINCT ON (hash) hash, coalesce(address," \
      "  max(address) OVER (PARTITION BY hash)) AS address, class, expires_at, note FROM unnest(" \
      "  $1::bytea[], $2::text[], $3::smallint[], $4::text[], $5::text[]) WITH ORDINALITY" \
      "  AS i (hash, address, class, expires_at, note, place) ORDER BY hash, place DESC)," \
      " put AS (INSERT INTO suppression AS s (address_hash, address, class, source, expires_at," \
      "  note, given_as_hash) SELECT hash, address, class, $6, expires_at::timestamptz, note," \
      "  address IS NULL FROM input ON CONFLICT (address_hash) DO UPDATE SET" \
      "  address = coalesce(excluded.address, s.address)," \
      "  given_as_hash = coalesce(excluded.address, s.address) IS NULL," \
      "  class = excluded.class, source = excluded.source, pending = false, guard_id = NULL," \
      "  expires_at = excluded.expires_at, note = excluded.note, created_at = CASE WHEN" \
      "  s.expires_at <= now() OR s.pending THEN now() ELSE s.created_at END" \
      "  WHERE (s.class, s.expires_at, s.note, s.pending) IS DISTINCT FROM" \
      "   (excluded.class, excluded.expires_at, excluded.note, false)" \
      "   OR s.guard_id IS NOT NULL OR s.expires_at <= now()" \
      "   OR s.source = 1 AND excluded.source = 2 RETURNING s.*)" \
      " SELECT suppression_log(1::smallint, $6, NULL, array_agg(put::suppression))::text" \
      " FROM put") \
    X(SUPPRESSION_LIFT, \
      "WITH forgiven AS (DELETE FROM suppression_strike WHERE address_hash = $1)," \
      " over AS (DELETE FROM suppression_probation WHERE address_hash = $1)," \
      " gone AS (DELETE FROM suppression s" \
      "  WHERE address_hash IN ($1::bytea, erased_hash($1::bytea)) RETURNING s.*)" \
      " SELECT (suppression_gone(2::smallint, $2, $3::text, array_agg(gone::suppression))" \
      " + count(*) FILTER (WHERE pending))::text FROM gone") \
    X(RECIPIENT_ERASE, "SELECT recipient_erase($1, $2, $3, $4)::text") \
    X(ERASURE_TEXTS, "SELECT erasure_texts($1, $2)") \
    X(UNMATCHED_LIST, \
      "SELECT s.id::text, to_char(s.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')," \
      " s.provider, coalesce(s.rule, '-'), s.diagnostic FROM status s" \
      " WHERE s.id > $3 AND s.id >= record_floor(($1::timestamptz AT TIME ZONE 'UTC')::date)" \
      " AND s.id < record_floor(($2::timestamptz AT TIME ZONE 'UTC')::date + 1)" \
      " AND s.received_at >= $1 AND s.received_at < $2 AND s.diagnostic IS NOT NULL" \
      " AND (s.rule IS NULL AND s.class = 17 OR s.rule = ANY ($4::text[]))" \
      " ORDER BY s.id LIMIT $5::int4") \
    X(ERASURE_STEP, "SELECT erasure_step($1)::text") \
    X(LOG_MESSAGE_ERASE, \
      "WITH gone AS (DELETE FROM log_message m WHERE" \
      " concat_ws(' ', m.sender, m.message_id) ~* erasure_pattern($1, $3)" \
      " OR (m.source_id, m.queue_id) IN (SELECT w.source_id, w.queue_id FROM log_waiting w" \
      "  WHERE w.recipient_key = $2" \
      "  OR concat_ws(' ', w.recipient, w.diagnostic) ~* erasure_pattern($1, $3)) RETURNING 1)" \
      " SELECT count(*)::text FROM gone") \
    X(QUARANTINE_IDS, "SELECT id::text FROM quarantine ORDER BY id") \
    X(QUARANTINE_ERASE, "DELETE FROM quarantine WHERE id = $1::text::bigint") \
    X(SUPPRESSION_UNDO_COUNT, "SELECT count(*)::text" QUERY_UNDO " AND NOT s.pending") \
    X(SUPPRESSION_UNDO, \
      "WITH due AS (SELECT s.address_hash" QUERY_UNDO " ORDER BY 1 FOR UPDATE OF s)," \
      " forgiven AS (DELETE FROM suppression_strike k USING due" \
      "  WHERE k.address_hash = due.address_hash)," \
      " over AS (DELETE FROM suppression_probation b USING due" \
      "  WHERE b.address_hash = due.address_hash)," \
      " gone AS (DELETE FROM suppression s USING due WHERE s.address_hash = due.address_hash" \
      "  RETURNING s.*)" \
      " SELECT suppression_gone(2::smallint, 2::smallint, $8::text," \
      "  array_agg(gone::suppression))::text FROM gone") \
    X(SUPPRESSION_CHANGES, \
      "SELECT h.seq::text, h.op::text, h.address, c.key, h.ref, h.class::text, h.at::text," \
      " h.expires_at::text, h.source::text, encode(h.address_hash, 'hex'), h.note" \
      " FROM suppression_change h LEFT JOIN campaign c ON c.id = h.campaign_id AND c.id <> 0" \
      " WHERE h.seq > $1::text::bigint ORDER BY h.seq LIMIT $2") \
    X(SUPPRESSION_CLOCK, "SELECT seq::text FROM suppression_clock") \
    X(GUARD_LIST, \
      "SELECT g.id::text, c.key, g.provider, g.hour::text, g.signature, g.failures::text," \
      " guard_sent(g.campaign_id, g.provider)::text, g.held_at::text, g.decided_at::text," \
      " g.released::text, (SELECT count(*) FROM suppression s WHERE s.guard_id = g.id" \
      "  AND s.pending)::text FROM suppression_guard g" \
      " LEFT JOIN campaign c ON c.id = g.campaign_id AND c.id <> 0" \
      " WHERE g.held_at IS NOT NULL AND ($1::text IS NULL OR g.id < $1::text::bigint)" \
      " ORDER BY g.id DESC LIMIT $2") \
    X(GUARD_DECIDE, "SELECT guard_decide($1, $2)::text") \
    X(JOURNAL_LIST, \
      "SELECT journal, sequence::text, segment::text, position_octets::text, reports::text," \
      " duplicates::text, quarantined::text, updated_at::text," \
      " extract(epoch FROM now() - updated_at)::bigint::text FROM journal_position" \
      " ORDER BY updated_at DESC, id LIMIT $1") \
    /* The table that ends first, of those that are parted by day. */ \
    X(PARTITION_DAYS, \
      "SELECT (coalesce(min(p.last), DATE '2020-01-01') - (now() AT TIME ZONE 'UTC')::date)::text" \
      " FROM (SELECT max(right(c.relname, 8)::date) AS last FROM pg_partitioned_table t" \
      "  LEFT JOIN pg_inherits i ON i.inhparent = t.partrelid" \
      "  LEFT JOIN pg_class c ON c.oid = i.inhrelid AND c.relname ~ '_[0-9]{8}$'" \
      "  GROUP BY t.partrelid) p") \
    X(QUARANTINE_WAITING, "SELECT count(*)::text FROM quarantine WHERE replayed_at IS NULL") \
    X(QUARANTINE_LIST, \
      QUERY_QUARANTINE " WHERE ($1::text IS NULL OR id < $1::text::bigint)" \
      " ORDER BY id DESC LIMIT $2") \
    X(QUARANTINE_GET, QUERY_QUARANTINE " WHERE id = $1::text::bigint") \
    X(QUARANTINE_RAW, "SELECT octets, raw FROM quarantine WHERE id = $1::text::bigint")
/* clang-format on */

#endif
