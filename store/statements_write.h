/*
 * Statements of migration, batch writer and maintenance. Rows X(id, sql). Private to store/.
 *
 * Rows travel as arrays, one a column; unnest makes rows of them again. What takes locks takes them
 * in key order.
 */
#ifndef DSND_STORE_STATEMENTS_WRITE_H
#define DSND_STORE_STATEMENTS_WRITE_H

/* Days for which partitions are made ahead. */
enum { STORE_DAYS_AHEAD = 7 };

/* The counts of the totals tables, in the order of enum total. */
#define TOTAL_NAMES                                                                       \
    "failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained, " \
    "statuses, "                                                                          \
    "proven"
#define TOTAL_SUMS                                                                              \
    "failed = t.failed + excluded.failed, hard = t.hard + excluded.hard, "                      \
    "soft = t.soft + excluded.soft, block = t.block + excluded.block, "                         \
    "delivered = t.delivered + excluded.delivered, "                                            \
    "handed_off = t.handed_off + excluded.handed_off, "                                         \
    "delay_open = t.delay_open + excluded.delay_open, delayed = t.delayed + excluded.delayed, " \
    "complained = t.complained + excluded.complained, "                                         \
    "statuses = t.statuses + excluded.statuses, proven = t.proven + excluded.proven"
#define DELIVERY_NAMES                                                                        \
    "campaign_id, ref, state, class, kind, provider, outcome_at, status_id, delayed_at, "     \
    "delayed_class, delayed_provider, delay_expired_at, complained_at, complained_provider, " \
    "sent_at"
#define DELIVERY_ARRAYS                                                            \
    "$1::int8[], $2::text[], $3::int2[], $4::int2[], $5::int2[], $6::text[], "     \
    "$7::timestamptz[], $8::int8[], $9::timestamptz[], $10::int2[], $11::text[], " \
    "$12::timestamptz[], $13::timestamptz[], $14::text[], $15::timestamptz[]"
/* Failures that may suppress, and confirmed deliveries that may lift. */
#define CANDIDATES                                                                            \
    "unnest($1::bytea[], $2::text[], $3::int8[], $4::text[], $5::int2[], $6::int2[], "        \
    "$7::int8[], $8::text[], $9::timestamptz[], $10::text[], $11::text[]) "                   \
    "n(hash, address, campaign_id, ref, class, evidence, status_id, delivery, at, provider, " \
    "signature)"
/* A record that confirms a delivery after n.at; $7 the least id of the day. */
#define CONFIRMS \
    " AND s.id >= $7::int8 AND s.received_at > n.at AND s.action = 3 AND s.evidence > 0"
#define CONFIRMED                                                                          \
    "(SELECT hash, max(at) AS at FROM unnest($1::bytea[], $2::timestamptz[]) u(hash, at) " \
    "GROUP BY hash) n"

/* clang-format off */
#define STATEMENTS_WRITE(X) \
    X(MIGRATIONS, "SELECT version, sha256 FROM schema_migration ORDER BY version") \
    X(MIGRATION_ADD, "INSERT INTO schema_migration (version, name, sha256, program) VALUES ($1, $2, $3, $4)") \
    X(PARTITION_ENSURE, "SELECT partition_ensure($1, $2)") \
    X(PARTITION_DROP, "SELECT partition_drop($1, $2)") \
    X(DELIVERY_EXPIRE, "SELECT delivery_expire($1, $2, $3)") \
    X(SUPPRESSION_EXPIRE, "SELECT suppression_expire($1)") \
    X(GUARD_HOLD, "SELECT guard_hold($1, 10000)") \
    /* What was dropped stays dropped though its records are judged again. */ \
    X(GUARD_FORGET, \
        "DELETE FROM suppression_guard g WHERE g.touched_at < $1::timestamptz - interval '7 days'" \
        " AND (g.held_at IS NULL OR g.decided_at < $1::timestamptz - interval '90 days')" \
        " AND (g.released IS NOT FALSE OR g.hour < coalesce((SELECT date_trunc('hour'," \
        " s.received_at, 'UTC') FROM status s ORDER BY s.id LIMIT 1), 'infinity'))") \
    X(AGAIN_FORGET, \
        "DELETE FROM suppression_again a WHERE a.guard_id <> 0 AND NOT EXISTS (SELECT" \
        " FROM suppression_guard g WHERE g.id = a.guard_id AND g.decided_at IS NULL)") \
    X(STRIKE_FORGET, \
        "DELETE FROM suppression_strike WHERE at < $1::timestamptz -" \
        " (SELECT coalesce(max(window_s), 0) FROM suppression_policy) * interval '1 second'") \
    X(ERASED_HASH, \
        "UPDATE suppression_change SET address_hash = erased_hash(address_hash)," \
        " hash_until = NULL WHERE hash_until < $1") \
    X(IDEMPOTENCY_FORGET, "DELETE FROM idempotency WHERE created_at < $1") \
    X(BEGIN, "BEGIN ISOLATION LEVEL READ COMMITTED") \
    X(COMMIT, "COMMIT") \
    X(POSITION_GET, "SELECT sequence, segment, position_octets FROM journal_position WHERE journal = $1") \
    X(WRITE_POSITION_ADD, "INSERT INTO journal_position (journal) VALUES ($1) ON CONFLICT DO NOTHING") \
    X(WRITE_LOCK, \
        "SELECT id, sequence, segment, position_octets," \
        " (SELECT max(version) FROM schema_migration)" \
        " FROM journal_position WHERE journal = $1 FOR UPDATE") \
    /* A duplicate is what was received within the window before, or at any time after; another
     * writer may be past midnight already, but the partitions made ahead need no look. */ \
    X(WRITE_SEEN, \
        "INSERT INTO report_seen (hash, stored_on, received_at)" \
        " SELECT n.hash, current_date, n.received_at" \
        " FROM unnest($1::uuid[], $2::timestamptz[], $3::int8[]) n(hash, received_at, sequence)" \
        " WHERE n.sequence > (SELECT p.sequence FROM journal_position p WHERE p.journal = $4)" \
        " AND NOT EXISTS (SELECT FROM report_seen s WHERE s.hash = n.hash" \
        "  AND s.stored_on >= current_date - ($5::int8 / 86400000000 + 1)::int4" \
        "  AND s.stored_on <= current_date + 1" \
        "  AND s.received_at >= n.received_at - $5::int8 * interval '1 microsecond')" \
        " ORDER BY n.hash, n.sequence ON CONFLICT DO NOTHING RETURNING hash") \
    X(WRITE_CAMPAIGN_ADD, \
        "INSERT INTO campaign (key) SELECT DISTINCT k FROM unnest($1::text[]) k" \
        " WHERE NOT EXISTS (SELECT FROM campaign c WHERE c.key = k)" \
        " ORDER BY k ON CONFLICT DO NOTHING") \
    X(WRITE_CAMPAIGN_FIND, \
        "SELECT key, id FROM campaign WHERE key = ANY ($1) AND key <> '' ORDER BY key COLLATE \"C\"") \
    /* LIMIT keeps the planner, while its statistics are young, from going over a whole campaign. */ \
    X(WRITE_SEND_BY_REF, \
        "SELECT c.key, s.ref, s.recipient" \
        " FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[])) n(key, ref)" \
        " JOIN campaign c ON c.key = n.key CROSS JOIN LATERAL" \
        " (SELECT * FROM send WHERE campaign_id = c.id AND ref = n.ref LIMIT 1) s" \
        " ORDER BY c.key COLLATE \"C\", s.ref COLLATE \"C\"") \
    /* Two rows tell as much as many: that the id names no single recipient. */ \
    X(WRITE_SEND_BY_MESSAGE, \
        "SELECT n.id, s.campaign_id, s.ref, s.recipient" \
        " FROM (SELECT DISTINCT * FROM unnest($1::text[])) n(id)" \
        " CROSS JOIN LATERAL (SELECT * FROM send WHERE message_id = n.id LIMIT 2) s" \
        " ORDER BY n.id COLLATE \"C\", s.campaign_id, s.ref") \
    X(WRITE_SEND_BY_ENVELOPE, \
        "SELECT n.id, s.campaign_id, s.ref, s.recipient" \
        " FROM (SELECT DISTINCT * FROM unnest($1::text[])) n(id)" \
        " CROSS JOIN LATERAL (SELECT * FROM send WHERE envelope_id = n.id LIMIT 2) s" \
        " ORDER BY n.id COLLATE \"C\", s.campaign_id, s.ref") \
    X(WRITE_SEND_BY_RECIPIENT, \
        "SELECT s.recipient_key, s.campaign_id, s.ref FROM send s" \
        " WHERE s.recipient_key = ANY ($4::int8[]) AND (s.message_id = ANY ($2::text[])" \
        "  OR s.envelope_id = ANY ($3::text[])" \
        "  OR s.campaign_id IN (SELECT c.id FROM campaign c WHERE c.key = ANY ($1::text[])))" \
        " ORDER BY s.recipient_key, s.campaign_id, s.ref") \
    X(WRITE_IDS, "SELECT nextval('record_seq') FROM generate_series(1, $1::int4)") \
    /* Whoever registers sends of these campaigns waits for us, and we for him: see send_add(). */ \
    X(WRITE_CAMPAIGN_LOCK, \
        "SELECT FROM campaign WHERE id = ANY ($1) ORDER BY id FOR KEY SHARE") \
    X(WRITE_CAMPAIGN_HOLD, \
        "SELECT FROM campaign WHERE id = ANY ($1) ORDER BY id FOR UPDATE") \
    X(WRITE_SEND_PLACE, "SELECT send_place($1::int8[], $2::text[], $3::text[])") \
    X(WRITE_DELIVERY_LOCK, \
        "SELECT d.campaign_id, d.ref, d.state, d.class, d.kind, d.provider, d.outcome_at," \
        " d.status_id, d.delayed_at, d.delayed_class, d.delayed_provider, d.delay_expired_at," \
        " d.complained_at, d.complained_provider, d.sent_at, d.sent_registered" \
        " FROM unnest($1::int8[], $2::text[]) n(campaign_id, ref)" \
        " JOIN delivery d ON d.campaign_id = n.campaign_id AND d.ref = n.ref" \
        " ORDER BY d.campaign_id, d.ref FOR UPDATE OF d") \
    X(WRITE_REPORT, \
        "INSERT INTO report (journal_id, rules_version, id, campaign_id, received_at, sequence," \
        " content_hash, octets, recipients, recipients_dropped, warnings, kind, feedback," \
        " attribution, evidence, source, tls, peer, helo, mail_from, envelope_to," \
        " envelope_parameters, smtp_envelope_id, envelope_id, reporting_mta, arrival_date," \
        " message_id, subject, from_address, returned_message_id, returned_to)" \
        " SELECT $1, $2, n.a, n.b, n.c, n.d, n.e, n.f, n.g, n.h, n.i, n.j, n.k, n.l, n.m, n.n," \
        " n.o, n.p, n.q, n.r, string_to_array(n.s, E'\\n'), string_to_array(n.t, E'\\n'), n.u," \
        " n.v, n.w, n.x, n.y, n.z, n.aa, n.ab, n.ac" \
        " FROM unnest($3::int8[], $4::int8[], $5::timestamptz[], $6::int8[], $7::uuid[]," \
        " $8::int4[], $9::int4[], $10::int4[], $11::int4[], $12::int2[], $13::int2[]," \
        " $14::int2[], $15::int2[], $16::int2[], $17::bool[], $18::text[], $19::text[]," \
        " $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[]," \
        " $26::text[], $27::text[], $28::text[], $29::text[], $30::text[], $31::text[])" \
        " n(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, ab," \
        " ac)") \
    X(WRITE_RAW, \
        "INSERT INTO report_raw (id, campaign_id, octets, raw)" \
        " SELECT * FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::bytea[])") \
    X(WRITE_QUARANTINE, \
        "INSERT INTO quarantine (journal_id, sequence, received_at, octets, reason, source, tls," \
        " raw, peer, helo, mail_from, envelope_to, smtp_envelope_id, error)" \
        " SELECT $1, n.a, n.b, n.c, n.d, n.e, n.f, n.g, n.h, n.i, n.j," \
        " string_to_array(n.k, E'\\n'), n.l, n.m" \
        " FROM unnest($2::int8[], $3::timestamptz[], $4::int4[], $5::int2[], $6::int2[]," \
        " $7::bool[], $8::bytea[], $9::text[], $10::text[], $11::text[], $12::text[]," \
        " $13::text[], $14::text[]) n(a, b, c, d, e, f, g, h, i, j, k, l, m)") \
    X(WRITE_STATUS, \
        "INSERT INTO status (id, campaign_id, report_id, received_at, recipient_key," \
        " retry_after_s, ordinal, action, class, cause, permanence, fault, evidence, smtp_code," \
        " ref, recipient, proven_recipient, final_recipient, original_recipient, status," \
        " smtp_status, provider, remote_mta, diagnostic, will_retry_until, rule, matched," \
        " rules_version, blocklist, incident_key)" \
        " SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::timestamptz[]," \
        " $5::int8[], $6::int4[], $7::int2[], $8::int2[], $9::int2[], $10::int2[], $11::int2[]," \
        " $12::int2[], $13::int2[], $14::int2[], $15::text[], $16::text[], $17::text[]," \
        " $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[]," \
        " $24::text[], $25::text[], $26::text[], $27::text[], $28::text[], $29::text[]," \
        " $30::int8[])") \
    X(WRITE_DELIVERY_SET, \
        "UPDATE delivery d SET state = n.state, class = n.class, kind = n.kind," \
        " provider = n.provider, outcome_at = n.outcome_at, status_id = n.status_id," \
        " delayed_at = n.delayed_at, delayed_class = n.delayed_class," \
        " delayed_provider = n.delayed_provider, delay_expired_at = n.delay_expired_at," \
        " complained_at = n.complained_at, complained_provider = n.complained_provider," \
        " sent_at = n.sent_at" \
        " FROM unnest(" DELIVERY_ARRAYS ") n(" DELIVERY_NAMES ")" \
        " WHERE d.campaign_id = n.campaign_id AND d.ref = n.ref") \
    /* No ON CONFLICT: a delivery that another writer made meanwhile must be read first. */ \
    X(WRITE_DELIVERY_ADD, \
        "INSERT INTO delivery (" DELIVERY_NAMES ", sent_registered)" \
        " SELECT n.campaign_id, n.ref, n.state, n.class, n.kind, n.provider, n.outcome_at," \
        " n.status_id, n.delayed_at, n.delayed_class, n.delayed_provider, n.delay_expired_at," \
        " n.complained_at, n.complained_provider, coalesce(s.sent_at, n.sent_at)," \
        " s.ref IS NOT NULL FROM unnest(" DELIVERY_ARRAYS ") n(" DELIVERY_NAMES ")" \
        " LEFT JOIN send s ON s.campaign_id = n.campaign_id AND s.ref = n.ref" \
        " ORDER BY n.campaign_id, n.ref") \
    X(WRITE_TOTAL_LOCK, "SELECT total_lock()") \
    X(WRITE_TOTAL_HOUR, \
        "INSERT INTO total_hour AS t (campaign_id, hour, provider, class, " TOTAL_NAMES ")" \
        " SELECT * FROM unnest($1::int8[], $2::timestamptz[], $3::text[], $4::int2[]," \
        " $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::int8[]," \
        " $12::int8[], $13::int8[], $14::int8[], $15::int8[]) ORDER BY 1, 2, 3, 4" \
        " ON CONFLICT (campaign_id, hour, provider, class) DO UPDATE SET " TOTAL_SUMS) \
    X(WRITE_TOTAL_BREAKDOWN, \
        "INSERT INTO total_breakdown AS t (campaign_id, provider, class, " TOTAL_NAMES ")" \
        " SELECT * FROM unnest($1::int8[], $2::text[], $3::int2[], $4::int8[], $5::int8[]," \
        " $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::int8[], $12::int8[]," \
        " $13::int8[], $14::int8[]) ORDER BY 1, 2, 3" \
        " ON CONFLICT (campaign_id, provider, class) DO UPDATE SET " TOTAL_SUMS) \
    X(WRITE_TOTAL_CAMPAIGN, \
        "INSERT INTO total_campaign AS t (campaign_id, " TOTAL_NAMES ")" \
        " SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[]," \
        " $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::int8[], $12::int8[])" \
        " ORDER BY 1 ON CONFLICT (campaign_id) DO UPDATE SET " TOTAL_SUMS) \
    X(WRITE_TOTAL_TIMES, \
        "INSERT INTO total_campaign AS t (campaign_id, first_report_at, last_report_at)" \
        " SELECT n.campaign_id, min(n.at), max(n.at)" \
        " FROM unnest($1::int8[], $2::timestamptz[]) n(campaign_id, at) GROUP BY 1 ORDER BY 1" \
        " ON CONFLICT (campaign_id) DO UPDATE SET" \
        " first_report_at = least(t.first_report_at, excluded.first_report_at)," \
        " last_report_at = greatest(t.last_report_at, excluded.last_report_at)") \
    X(WRITE_RULE_HIT, \
        "INSERT INTO rule_hit AS t (rules_version, campaign_id, day, rule, hits)" \
        " SELECT $1, n.campaign_id, n.day, n.rule, count(*)" \
        " FROM unnest($2::int8[], $3::date[], $4::text[]) n(campaign_id, day, rule)" \
        " GROUP BY 2, 3, 4 ORDER BY 2, 3, 4" \
        " ON CONFLICT (campaign_id, day, rule, rules_version)" \
        " DO UPDATE SET hits = t.hits + excluded.hits") \
    X(WRITE_GUARD, \
        "INSERT INTO suppression_guard AS g (campaign_id, provider, hour, signature, failures)" \
        " SELECT n.campaign_id, n.provider, date_trunc('hour', n.at, 'UTC'), n.signature," \
        " count(*) FROM " CANDIDATES " WHERE n.signature IS NOT NULL" \
        " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4" \
        " ON CONFLICT (campaign_id, provider, hour, signature)" \
        " DO UPDATE SET failures = g.failures + excluded.failures," \
        " touched_at = excluded.touched_at") \
    /* As suppression_rejudge has it: what came before a confirmed delivery, or before a person lifted
     * the entry, is over; but a complaint is of no delivery. */ \
    X(WRITE_OVERRULED, \
        "SELECT n.place FROM unnest($1::bytea[], $2::int8[], $3::int8[], $4::text[], $5::int2[]," \
        " $6::timestamptz[]) WITH ORDINALITY n(hash, key, campaign_id, ref, class, at, place)" \
        " LEFT JOIN LATERAL (SELECT true AS yes FROM status s WHERE n.ref IS NULL" \
        "  AND s.recipient_key = n.key AND address_hash(s.proven_recipient) = n.hash" \
        "  AND s.proven_recipient IS NOT DISTINCT FROM s.recipient" CONFIRMS " LIMIT 1) a ON true" \
        " LEFT JOIN LATERAL (SELECT true AS yes FROM status s WHERE n.ref IS NULL" \
        "  AND address_hash(s.proven_recipient) = n.hash AND s.proven_recipient IS NOT NULL" \
        "  AND s.proven_recipient IS DISTINCT FROM s.recipient" CONFIRMS " LIMIT 1) b ON true" \
        " LEFT JOIN LATERAL (SELECT true AS yes FROM status s WHERE n.ref IS NOT NULL" \
        "  AND s.campaign_id = n.campaign_id AND s.ref = n.ref AND s.evidence = 3" CONFIRMS " LIMIT 1) c ON true" \
        " WHERE n.class <> 15 AND coalesce(a.yes, b.yes, c.yes)" \
        " OR suppression_lifted_at(n.hash) >= n.at ORDER BY n.place") \
    /* However many reports tell of a delivery, it counts once, from the first of them on. */ \
    X(WRITE_STRIKE, \
        "INSERT INTO suppression_strike AS s (address_hash, class, campaign_id, ref, at, status_id)" \
        " SELECT DISTINCT ON (n.hash, n.class, n.campaign_id, n.delivery)" \
        " n.hash, n.class, n.campaign_id, n.delivery, n.at, n.status_id FROM " CANDIDATES \
        " JOIN suppression_policy p ON p.class = n.class AND p.threshold > 1" \
        " AND n.evidence >= p.evidence" \
        " ORDER BY n.hash, n.class, n.campaign_id, n.delivery, n.at, n.status_id" \
        " ON CONFLICT (address_hash, class, campaign_id, ref) DO UPDATE SET at = excluded.at," \
        " status_id = excluded.status_id WHERE excluded.at < s.at") \
    /* What is over makes way first, so that mirrors hear of its end whatever follows. */ \
    X(WRITE_SUPPRESSION_EXPIRE, \
        "SELECT suppression_expire(now(), array_agg(n.hash)) FROM " CANDIDATES) \
    /* What is held may make way for another cause: it is not lost with it. */ \
    X(WRITE_SUPPRESSION_KEEP, \
        "INSERT INTO suppression_again (address_hash, recipient_key, campaign_id, ref, guard_id)" \
        " SELECT DISTINCT s.address_hash, CASE WHEN s.ref IS NULL THEN address_key(n.hash) ELSE 0 END," \
        " CASE WHEN s.ref IS NOT NULL THEN s.campaign_id END, s.ref, s.guard_id FROM " CANDIDATES \
        " JOIN suppression s ON s.address_hash = n.hash AND s.pending AND s.guard_id IS NOT NULL" \
        " WHERE NOT EXISTS (SELECT FROM suppression_guard g WHERE g.campaign_id = n.campaign_id" \
        " AND g.provider = n.provider AND g.hour = date_trunc('hour', n.at, 'UTC')" \
        " AND g.signature = n.signature AND g.id = s.guard_id)" \
        " ORDER BY 1, 5 ON CONFLICT DO NOTHING") \
    /* A lasting entry replaces one that would end by itself, any entry one that has ended, and a
     * complaint, which no delivery lifts, another cause;
     * nothing else is touched. Only windows that hold a new record can have become full. The time of
     * an entry runs from the receipt of the report that decided it: one that is over makes none. */ \
    X(WRITE_SUPPRESSION, \
        "WITH fresh AS (" \
        "INSERT INTO suppression AS s (address_hash, address, campaign_id, ref, class, evidence," \
        " source, status_ids, expires_at, caused_at, guard_id, pending)" \
        " SELECT DISTINCT ON (n.hash) n.hash, n.address, n.campaign_id, n.ref, n.class," \
        " n.evidence, 1, x.ids, x.expires_at, x.at, g.id," \
        " coalesce(g.held_at IS NOT NULL AND g.decided_at IS NULL, false) FROM " CANDIDATES \
        " LEFT JOIN suppression_guard g ON g.campaign_id = n.campaign_id" \
        " AND g.provider = n.provider AND g.hour = date_trunc('hour', n.at, 'UTC')" \
        " AND g.signature = n.signature" \
        " JOIN suppression_policy p ON p.class = n.class AND p.threshold > 0" \
        " AND n.evidence >= p.evidence" \
        /* On probation: the entry before ended by itself, whether it has been swept or not. */ \
        " CROSS JOIN LATERAL (SELECT p.probation_s IS NOT NULL AND (EXISTS (SELECT" \
        " FROM suppression_probation b WHERE b.address_hash = n.hash AND b.class = n.class" \
        " AND n.at >= b.began_at AND n.at < b.until_at) OR EXISTS (SELECT FROM suppression t" \
        " WHERE t.address_hash = n.hash AND t.class = n.class AND t.source = 1 AND NOT t.pending" \
        " AND n.at >= t.expires_at AND n.at < t.expires_at + p.probation_s * interval '1 second'))" \
        " AS relapsed) b" \
        " CROSS JOIN LATERAL (SELECT y.ids, y.at, CASE WHEN b.relapsed AND p.relapse_lasts THEN NULL" \
        " ELSE y.at + p.expires_s * interval '1 second' END AS expires_at FROM (" \
        "SELECT ARRAY[n.status_id] AS ids, n.at WHERE p.threshold = 1 OR b.relapsed UNION ALL (" \
        "SELECT w.ids, e.at FROM suppression_strike e CROSS JOIN LATERAL (" \
        "SELECT count(*) AS strikes, count(DISTINCT (k.at AT TIME ZONE 'UTC')::date) AS days," \
        " array_agg(k.status_id ORDER BY k.at, k.status_id) AS ids FROM (" \
        "SELECT * FROM suppression_strike k WHERE k.address_hash = n.hash AND k.class = n.class" \
        " AND k.at <= e.at AND k.at >= e.at - p.window_s * interval '1 second'" \
        " ORDER BY k.at DESC LIMIT 100) k) w" \
        " WHERE p.threshold > 1 AND NOT b.relapsed AND e.address_hash = n.hash" \
        " AND e.class = n.class AND e.at >= n.at" \
        " AND e.at <= n.at + p.window_s * interval '1 second'" \
        " AND w.strikes >= p.threshold AND w.days >= p.distinct_days ORDER BY e.at LIMIT 1)) y) x" \
        " WHERE g.released IS NOT FALSE AND (x.expires_at IS NULL OR x.expires_at > now())" \
        " AND NOT EXISTS (SELECT FROM suppression t" \
        " WHERE t.address_hash = erased_hash(n.hash) AND t.expires_at IS NULL AND NOT t.pending)" \
        " ORDER BY n.hash, coalesce(g.held_at IS NOT NULL AND g.decided_at IS NULL, false)," \
        " n.class <> 15, x.expires_at DESC NULLS FIRST, x.at, n.at DESC, n.status_id" \
        " ON CONFLICT (address_hash) DO UPDATE SET class = excluded.class," \
        " address = coalesce(excluded.address, s.address)," \
        " given_as_hash = s.given_as_hash AND excluded.address IS NULL," \
        " campaign_id = excluded.campaign_id," \
        " evidence = excluded.evidence, source = excluded.source," \
        " expires_at = excluded.expires_at, status_ids = excluded.status_ids," \
        " caused_at = excluded.caused_at, guard_id = excluded.guard_id," \
        " pending = excluded.pending, created_at =" \
        " CASE WHEN s.expires_at <= now() THEN now() ELSE s.created_at END" \
        " WHERE s.expires_at <= now() OR s.pending AND NOT excluded.pending" \
        " OR s.expires_at IS NOT NULL AND excluded.expires_at IS NULL AND NOT excluded.pending" \
        " OR s.source = 1 AND s.class <> 15 AND excluded.class = 15" \
        " RETURNING s.*)" \
        " SELECT suppression_log(1::int2, 1::int2, NULL, array_agg(fresh::suppression)" \
        " FILTER (WHERE NOT fresh.pending)), CASE WHEN bool_or(fresh.pending) THEN" \
        " suppression_put_aside(false, array_agg(fresh::suppression)" \
        " FILTER (WHERE fresh.pending)) END FROM fresh") \
    /* What is held of those that other entries suppress: it must not be lost with these. */ \
    X(WRITE_SUPPRESSION_WAIT, \
        "INSERT INTO suppression_again (address_hash, recipient_key, campaign_id, ref, guard_id)" \
        " SELECT DISTINCT n.hash, CASE WHEN n.ref IS NULL THEN address_key(n.hash) ELSE 0 END," \
        " CASE WHEN n.ref IS NOT NULL THEN n.campaign_id END, n.ref, g.id FROM " CANDIDATES \
        " JOIN suppression_guard g ON g.campaign_id = n.campaign_id AND g.provider = n.provider" \
        " AND g.hour = date_trunc('hour', n.at, 'UTC') AND g.signature = n.signature" \
        " WHERE g.held_at IS NOT NULL AND g.decided_at IS NULL AND NOT EXISTS (" \
        "SELECT FROM suppression s WHERE s.address_hash = n.hash AND s.guard_id = g.id AND s.pending)" \
        " ORDER BY 1, 5 ON CONFLICT DO NOTHING") \
    /* Who received a message later is there: but a complaint, and what people set, stay. */ \
    X(WRITE_STRIKE_LIFT, \
        "WITH due AS (SELECT s.address_hash, s.class, s.campaign_id, s.ref FROM " CONFIRMED \
        " JOIN suppression_strike s ON s.address_hash = n.hash AND s.at < n.at" \
        " ORDER BY 1, 2, 3, 4 FOR UPDATE OF s)," \
        " over AS (DELETE FROM suppression_probation b USING " CONFIRMED \
        " WHERE b.address_hash = n.hash AND b.began_at < n.at)" \
        " DELETE FROM suppression_strike s USING due WHERE s.address_hash = due.address_hash" \
        " AND s.class = due.class AND s.campaign_id = due.campaign_id AND s.ref = due.ref") \
    X(WRITE_SUPPRESSION_LIFT, \
        "WITH due AS (SELECT s.address_hash FROM " CONFIRMED \
        " JOIN suppression s ON s.address_hash = n.hash AND s.caused_at < n.at" \
        " AND s.source = 1 AND s.class <> 15 ORDER BY 1 FOR UPDATE OF s)," \
        " gone AS (DELETE FROM suppression s USING due" \
        " WHERE s.address_hash = due.address_hash RETURNING s.*)," \
        /* Others came later, but made no entry while this one stood. */ \
        " doubted AS (SELECT suppression_doubt(array_agg(gone::suppression)) FROM gone JOIN " CONFIRMED \
        " ON n.hash = gone.address_hash WHERE suppression_fails_later(gone::suppression, n.at))" \
        " SELECT (SELECT count(*) FROM doubted), suppression_gone(2::int2, 1::int2, 'delivered'," \
        " array_agg(gone::suppression)) FROM gone") \
    X(WRITE_POSITION, \
        "UPDATE journal_position SET sequence = $2, segment = $3, position_octets = $4," \
        " reports = reports + $5, duplicates = duplicates + $6, quarantined = quarantined + $7," \
        " updated_at = now() WHERE journal = $1")
/* clang-format on */

#endif
