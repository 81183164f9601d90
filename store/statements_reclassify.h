/*
 * Statements that judge stored records again. Rows X(id, sql). Private to store/.
 */
#ifndef DSND_STORE_STATEMENTS_RECLASSIFY_H
#define DSND_STORE_STATEMENTS_RECLASSIFY_H

/* clang-format off */
/* $1 after id, $2 before id, $3 from, $4 to, $5 campaign, $6 with raw messages, $7 limit */
#define RECLASSIFY_REPORTS \
    "SELECT r.id, r.campaign_id, c.key, r.received_at, array_to_string(r.envelope_to, E'\\n')," \
    " r.kind, r.feedback, r.attribution, r.evidence, r.warnings, r.recipients," \
    " r.recipients_dropped, r.envelope_id, r.reporting_mta, r.arrival_date, r.message_id," \
    " r.subject, r.from_address, r.returned_message_id, r.returned_to, r.rules_version," \
    " w.octets, w.raw, r.mail_from" \
    " FROM report r JOIN campaign c ON c.id = r.campaign_id" \
    " LEFT JOIN report_raw w ON $6::bool AND w.id = r.id" \
    " WHERE r.id > $1::int8 AND r.id < $2::int8" \
    " AND ($3::timestamptz IS NULL OR r.received_at >= $3)" \
    " AND ($4::timestamptz IS NULL OR r.received_at < $4)" \
    " AND ($5::text IS NULL OR c.key = $5) ORDER BY r.id LIMIT $7::int4"
#define RECLASSIFY_CHANGE \
    "status_id, address_hash, campaign_id, ref, at, action, class, permanence, evidence," \
    " proven_recipient, provider, diagnostic, kind, feedback, fault, cause"
/* A record in the columns of RECLASSIFY_CHANGE. */
#define RECLASSIFY_STATUS \
    "SELECT s.id, a.address_hash, s.campaign_id, s.ref, s.received_at, s.action, s.class," \
    " s.permanence, s.evidence, s.proven_recipient, s.provider, s.diagnostic, r.kind, r.feedback, s.fault," \
    " s.cause"

/* Reports that are there now have smaller ids. */
#define RECLASSIFY_NEWEST \
    "coalesce((SELECT id FROM report ORDER BY id DESC LIMIT 1), 0) + 1"

#define RECLASSIFY_RECORDS_OF_A \
    " SELECT * FROM (" \
    RECLASSIFY_STATUS " FROM a JOIN status s ON s.recipient_key = a.recipient_key" \
    "  AND address_hash(s.proven_recipient) = a.address_hash" \
    "  AND s.proven_recipient IS NOT DISTINCT FROM s.recipient" \
    "  JOIN report r ON r.id = s.report_id WHERE a.ref IS NULL" \
    " UNION ALL " \
    RECLASSIFY_STATUS " FROM a JOIN status s ON address_hash(s.proven_recipient) = a.address_hash" \
    "  AND s.proven_recipient IS NOT NULL AND s.proven_recipient IS DISTINCT FROM s.recipient" \
    "  JOIN report r ON r.id = s.report_id WHERE a.ref IS NULL" \
    " UNION ALL " \
    RECLASSIFY_STATUS " FROM a JOIN status s ON s.campaign_id = a.campaign_id AND s.ref = a.ref" \
    "  AND s.evidence = 3 JOIN report r ON r.id = s.report_id) x" \
    " WHERE NOT EXISTS (SELECT FROM reclassify_change y WHERE y.status_id = x.id)" \
    " UNION ALL SELECT " RECLASSIFY_CHANGE " FROM reclassify_change" \
    " WHERE address_hash = ANY ($1::bytea[])"

#define STATEMENTS_RECLASSIFY(X) \
    X(RECLASSIFY_LOCK, "SELECT pg_try_advisory_lock(4920143, 4)") \
    X(RECLASSIFY_UNLOCK, "SELECT pg_advisory_unlock(4920143, 4)") \
    /* Erasure and a batch wait for each other, so that neither brings back what the other took. */ \
    X(RECLASSIFY_EXCLUDE, "SELECT pg_advisory_xact_lock(4920143, 5)") \
    /* Writers lock their journal's row first of all. */ \
    X(RECLASSIFY_PAUSE, "LOCK TABLE journal_position IN EXCLUSIVE MODE") \
    /* A run that was cut off, up to the newest report; not where a later one judged the same. */ \
    X(RECLASSIFY_RESUME, \
        "UPDATE reclassify_run SET end_id = greatest(end_id, " RECLASSIFY_NEWEST ")," \
        " updated_at = now() WHERE id = (SELECT r.id FROM reclassify_run r" \
        "  WHERE r.finished_at IS NULL AND r.rules_version = $1 AND r.program = $2" \
        "  AND r.from_at IS NOT DISTINCT FROM $3::timestamptz" \
        "  AND r.to_at IS NOT DISTINCT FROM $4::timestamptz" \
        "  AND r.campaign IS NOT DISTINCT FROM $5::text AND r.reparse = $6" \
        "  AND NOT EXISTS (SELECT FROM reclassify_run l WHERE l.id > r.id" \
        "   AND coalesce(l.campaign = r.campaign, true)" \
        "   AND coalesce(l.from_at < r.to_at, true) AND coalesce(r.from_at < l.to_at, true))" \
        "  ORDER BY r.id DESC LIMIT 1)" \
        " RETURNING id, position_id, end_id, reports, statuses, changed") \
    X(RECLASSIFY_END, "SELECT " RECLASSIFY_NEWEST) \
    X(RECLASSIFY_BEGIN, \
        "INSERT INTO reclassify_run (rules_version, program, from_at, to_at, campaign, reparse," \
        " position_id, end_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id") \
    X(RECLASSIFY_CAMPAIGN, "SELECT id FROM campaign WHERE key = $1 AND id <> 0") \
    X(RECLASSIFY_REPORTS_LOCK, RECLASSIFY_REPORTS " FOR UPDATE OF r") \
    X(RECLASSIFY_REPORTS_READ, RECLASSIFY_REPORTS) \
    X(RECLASSIFY_STATUSES, \
        "SELECT s.report_id, s.id, s.campaign_id, s.ordinal, s.action, s.class, s.cause," \
        " s.permanence, s.fault, s.evidence, s.smtp_code, s.retry_after_s, s.recipient_key, s.ref," \
        " s.recipient, s.proven_recipient, s.final_recipient, s.original_recipient, s.status," \
        " s.smtp_status, s.provider, s.remote_mta, s.diagnostic, s.will_retry_until, s.rule," \
        " s.matched, s.rules_version, s.blocklist FROM status s" \
        " WHERE s.report_id = ANY ($1::int8[]) AND s.id >= $2::int8 AND s.id < $3::int8" \
        " ORDER BY s.report_id, s.ordinal, s.id") \
    /* All records of deliveries but those that are judged just now. */ \
    X(RECLASSIFY_EVENTS, \
        "SELECT s.id, s.campaign_id, s.ref, s.received_at, s.action, s.class, s.permanence," \
        " s.provider, r.kind, r.feedback, s.evidence" \
        " FROM unnest($1::int8[], $2::text[]) n(campaign_id, ref)" \
        " JOIN status s ON s.campaign_id = n.campaign_id AND s.ref = n.ref" \
        " JOIN report r ON r.id = s.report_id" \
        " WHERE s.id <> ALL ($3::int8[]) ORDER BY s.campaign_id, s.ref COLLATE \"C\", s.id") \
    X(RECLASSIFY_STATUS_DROP, \
        "DELETE FROM status WHERE id = ANY ($1::int8[]) AND id >= $2::int8 AND id < $3::int8") \
    X(RECLASSIFY_REPORT_SET, \
        "UPDATE report r SET campaign_id = n.b, recipients = n.c, recipients_dropped = n.d," \
        " warnings = n.e, kind = n.f, feedback = n.g, attribution = n.h, evidence = n.i," \
        " envelope_id = n.j, reporting_mta = n.k, arrival_date = n.l, message_id = n.m," \
        " subject = n.n, from_address = n.o, returned_message_id = n.p, returned_to = n.q," \
        " rules_version = $1 FROM unnest($4::int8[], $5::int8[], $6::int4[], $7::int4[]," \
        " $8::int4[], $9::int2[], $10::int2[], $11::int2[], $12::int2[], $13::text[], $14::text[]," \
        " $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[])" \
        " n(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)" \
        " WHERE r.id = n.a AND r.id >= $2::int8 AND r.id < $3::int8") \
    X(RECLASSIFY_RAW_SET, \
        "UPDATE report_raw w SET campaign_id = n.campaign_id" \
        " FROM unnest($1::int8[], $2::int8[]) n(id, campaign_id)" \
        " WHERE w.id = n.id AND w.id >= $3::int8 AND w.id < $4::int8" \
        " AND w.campaign_id <> n.campaign_id") \
    X(RECLASSIFY_DELIVERY_DROP, \
        "DELETE FROM delivery d USING unnest($1::int8[], $2::text[]) n(campaign_id, ref)" \
        " WHERE d.campaign_id = n.campaign_id AND d.ref = n.ref") \
    X(RECLASSIFY_HIT_TAKE, \
        "WITH n AS (SELECT campaign_id, day, rule, rules_version, count(*) AS hits" \
        "  FROM unnest($1::int8[], $2::date[], $3::text[], $4::text[])" \
        "  u(campaign_id, day, rule, rules_version) GROUP BY 1, 2, 3, 4)," \
        " due AS (SELECT t.campaign_id, t.day, t.rule, t.rules_version, n.hits FROM rule_hit t" \
        "  JOIN n USING (campaign_id, day, rule, rules_version) ORDER BY 1, 2, 3, 4" \
        "  FOR UPDATE OF t)" \
        " UPDATE rule_hit t SET hits = t.hits - due.hits FROM due" \
        " WHERE t.campaign_id = due.campaign_id AND t.day = due.day AND t.rule = due.rule" \
        " AND t.rules_version = due.rules_version") \
    X(RECLASSIFY_HIT_FORGET, \
        "DELETE FROM rule_hit t USING unnest($1::int8[], $2::date[], $3::text[], $4::text[])" \
        " n(campaign_id, day, rule, rules_version) WHERE t.campaign_id = n.campaign_id" \
        " AND t.day = n.day AND t.rule = n.rule AND t.rules_version = n.rules_version" \
        " AND t.hits <= 0") \
    X(RECLASSIFY_GUARD_TAKE, \
        "WITH n AS (SELECT campaign_id, provider, date_trunc('hour', at, 'UTC') AS hour, signature," \
        "  count(*) AS failures FROM " CANDIDATES " WHERE n.signature IS NOT NULL" \
        "  GROUP BY 1, 2, 3, 4)," \
        " due AS (SELECT g.id, n.failures FROM suppression_guard g" \
        "  JOIN n USING (campaign_id, provider, hour, signature)" \
        "  ORDER BY g.campaign_id, g.provider, g.hour, g.signature FOR UPDATE OF g)," \
        " gone AS (DELETE FROM suppression_guard g USING due WHERE g.id = due.id" \
        "  AND g.failures <= due.failures AND g.held_at IS NULL)" \
        " UPDATE suppression_guard g SET failures = greatest(g.failures - due.failures, 0)" \
        " FROM due WHERE g.id = due.id AND (g.failures > due.failures OR g.held_at IS NOT NULL)") \
    X(RECLASSIFY_ADDRESS_ADD, \
        "INSERT INTO reclassify_address (address_hash, recipient_key, campaign_id, ref)" \
        " SELECT DISTINCT ON (1) * FROM unnest($1::bytea[], $2::int8[], $3::int8[], $4::text[])" \
        " ORDER BY 1 ON CONFLICT DO NOTHING") \
    X(RECLASSIFY_CHANGE_ADD, \
        "INSERT INTO reclassify_change (" RECLASSIFY_CHANGE ") SELECT * FROM unnest($1::int8[]," \
        " $2::bytea[], $3::int8[], $4::text[], $5::timestamptz[], $6::int2[], $7::int2[]," \
        " $8::int2[], $9::int2[], $10::text[], $11::text[], $12::text[], $13::int2[], $14::int2[], $15::int2[]," \
        " $16::int2[])") \
    X(RECLASSIFY_MOVE, \
        "UPDATE reclassify_run SET position_id = $2, reports = reports + $3," \
        " statuses = statuses + $4, changed = changed + $5, updated_at = now() WHERE id = $1") \
    X(RECLASSIFY_FINISH, \
        "UPDATE reclassify_run SET finished_at = now(), updated_at = now() WHERE id = $1") \
    X(RECLASSIFY_ADDRESSES, \
        "SELECT address_hash FROM reclassify_address WHERE address_hash > $1::bytea" \
        " ORDER BY address_hash LIMIT $2::int4") \
    /* What proves each of the addresses, as it is now or as a dry run would leave it. */ \
    X(RECLASSIFY_RECORDS, \
        "WITH a AS (SELECT * FROM reclassify_address WHERE address_hash = ANY ($1::bytea[]))" \
        RECLASSIFY_RECORDS_OF_A) \
    X(RECLASSIFY_SUPPRESS, \
        "SELECT op, was, becomes, who FROM suppression_rejudge($12, $13, $1, $2, $3, $4, $5, $6," \
        " $7, $8, $9, $10, $11, $14, $15)") \
    X(RECLASSIFY_ADDRESS_DONE, \
        "DELETE FROM reclassify_address WHERE address_hash = ANY ($1::bytea[])") \
    /* The same for whom maintenance judges. No row: nobody is there; false: an erasure is. */ \
    X(AGAIN_EXCLUDE, \
        "SELECT pg_try_advisory_xact_lock(4920143, 5), set_config('dsnd.why', 'judged again', true)" \
        " WHERE EXISTS (SELECT FROM suppression_again WHERE guard_id = 0)") \
    X(AGAIN_ADDRESSES, \
        "SELECT address_hash FROM suppression_again WHERE guard_id = 0 AND address_hash > $1::bytea" \
        " ORDER BY address_hash LIMIT $2::int4") \
    X(AGAIN_RECORDS, \
        "WITH a AS (SELECT * FROM suppression_again WHERE guard_id = 0" \
        " AND address_hash = ANY ($1::bytea[]))" RECLASSIFY_RECORDS_OF_A) \
    X(AGAIN_DONE, \
        "DELETE FROM suppression_again WHERE guard_id = 0 AND address_hash = ANY ($1::bytea[])")
/* clang-format on */

#endif
