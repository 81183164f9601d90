-- Who was suppressed by one record of several is judged again by all of them when that one no longer
-- counts: when the guard holds it or a person drops it, and when a delivery lifts it that was confirmed
-- before another failure. And when a person releases what was held of somebody who has another entry.

CREATE TABLE suppression_again (
    address_hash bytea NOT NULL,
    recipient_key bigint NOT NULL,
    campaign_id bigint,
    ref text,
    guard_id bigint NOT NULL,
    PRIMARY KEY (address_hash, guard_id)
);
COMMENT ON TABLE suppression_again IS 'Whose suppression is judged again, by maintenance, from all records there are';
COMMENT ON COLUMN suppression_again.address_hash IS 'suppression.address_hash';
COMMENT ON COLUMN suppression_again.recipient_key IS 'status.recipient_key of an address; 0 of a ref';
COMMENT ON COLUMN suppression_again.campaign_id IS 'Campaign of a ref; NULL for an address';
COMMENT ON COLUMN suppression_again.ref IS 'The ref; NULL for an address';
COMMENT ON COLUMN suppression_again.guard_id IS 'suppression_guard.id of the text whose release is waited for; 0 now';
CREATE INDEX suppression_again_guard ON suppression_again (guard_id, address_hash);

CREATE FUNCTION address_key(hash bytea) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || encode(substr(hash, 1, 8), 'hex'))::bit(64)::bigint;
COMMENT ON FUNCTION address_key(bytea) IS 'status.recipient_key of suppression.address_hash';

CREATE FUNCTION suppression_doubt(entries suppression[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO suppression_again
        SELECT e.address_hash, CASE WHEN e.ref IS NULL THEN address_key(e.address_hash) ELSE 0 END,
            CASE WHEN e.ref IS NOT NULL THEN e.campaign_id END, e.ref, 0
        FROM unnest(entries) e WHERE e.source = 1 ORDER BY 1 ON CONFLICT DO NOTHING
$$;
COMMENT ON FUNCTION suppression_doubt(suppression[]) IS
    'Entries whose cause counts no longer: others may be there';

CREATE FUNCTION suppression_fails_later(entry suppression, at timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    first bigint := record_floor((at AT TIME ZONE 'UTC')::date);
BEGIN
    IF entry.ref IS NOT NULL THEN
        RETURN EXISTS (SELECT FROM status s WHERE s.id >= first AND s.received_at >= at
            AND s.campaign_id = entry.campaign_id AND s.ref = entry.ref AND s.action = 1);
    END IF;
    RETURN EXISTS (SELECT FROM status s WHERE s.id >= first AND s.received_at >= at
            AND s.recipient_key = address_key(entry.address_hash) AND s.action = 1)
        OR EXISTS (SELECT FROM status s WHERE s.id >= first AND s.received_at >= at
            AND address_hash(s.proven_recipient) = entry.address_hash
            AND s.proven_recipient IS NOT NULL
            AND s.proven_recipient IS DISTINCT FROM s.recipient AND s.action = 1);
END $$;
COMMENT ON FUNCTION suppression_fails_later(suppression, timestamptz) IS
    'Whether a failure of the same address or ref was received from then on';

-- As before, and those held are judged by what else there is of them.
CREATE OR REPLACE FUNCTION guard_hold(at timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    l suppression_guard_limit;
    crowd record;
    ids bigint[];
    held suppression[];
BEGIN
    SELECT * INTO l FROM suppression_guard_limit;
    FOR crowd IN
        SELECT array_agg(p.id) AS ids, sum(p.mail) AS mail FROM (
            SELECT c.*, CASE WHEN c.place = 1 THEN m.mail ELSE 0 END AS mail FROM (
                SELECT v.start, g.*, row_number() OVER (PARTITION BY v.start, g.provider,
                           g.signature, g.campaign_id ORDER BY g.hour) AS place,
                       sum(g.failures) OVER (PARTITION BY v.start, g.provider, g.signature) AS total
                FROM (SELECT DISTINCT t.provider, t.signature, w.start
                      FROM suppression_guard t
                      CROSS JOIN LATERAL (VALUES (t.hour), (t.hour - interval '1 hour')) w (start)
                      WHERE t.touched_at > at - interval '2 hours' AND t.provider <> ''
                        AND t.held_at IS NULL AND t.decided_at IS NULL) v
                JOIN suppression_guard g ON g.provider = v.provider AND g.signature = v.signature
                    AND g.hour IN (v.start, v.start + interval '1 hour') AND g.decided_at IS NULL) c
            CROSS JOIN LATERAL guard_mail(c.campaign_id, c.provider, c.start) m (mail)
            WHERE c.total >= l.failures AND m.mail IS NOT NULL) p
        GROUP BY GROUPING SETS ((p.provider, p.signature, p.start),
                                (p.provider, p.signature, p.start, p.campaign_id))
        HAVING sum(p.failures) >= l.failures AND sum(p.failures) > l.share * sum(p.mail)
    LOOP
        WITH entry AS MATERIALIZED (
            SELECT g.hour, s.caused_at FROM suppression_guard g
            JOIN suppression s ON s.guard_id = g.id
            WHERE g.id = ANY (crowd.ids)
        ), fullest AS MATERIALIZED (
            SELECT e.caused_at AS first, count(*) OVER (ORDER BY e.caused_at
                RANGE BETWEEN CURRENT ROW AND interval '1 hour' FOLLOWING) AS entries
            FROM entry e ORDER BY 2 DESC, 1 LIMIT 1
        ), hours AS (
            SELECT e.hour FROM fullest f JOIN entry e
                ON e.caused_at BETWEEN f.first AND f.first + interval '1 hour'
            WHERE f.entries >= l.failures AND f.entries > l.share * crowd.mail
            GROUP BY e.hour HAVING 4 * count(*) > l.share * crowd.mail
        )
        SELECT array_agg(g.id) || ids INTO ids FROM suppression_guard g
        WHERE g.id = ANY (crowd.ids) AND g.hour IN (SELECT h.hour FROM hours h);
    END LOOP;
    -- In the order of the batch writer.
    PERFORM FROM suppression_guard g WHERE g.id = ANY (ids) AND g.held_at IS NULL
        ORDER BY g.campaign_id, g.provider, g.hour, g.signature FOR UPDATE;
    UPDATE suppression_guard g SET held_at = at
        WHERE g.id = ANY (ids) AND g.held_at IS NULL AND g.decided_at IS NULL;
    WITH due AS (
        SELECT s.address_hash FROM suppression_guard g
        JOIN suppression s ON s.guard_id = g.id AND NOT s.pending
        WHERE g.held_at IS NOT NULL AND g.decided_at IS NULL
        ORDER BY 1 LIMIT most FOR UPDATE OF s SKIP LOCKED
    ), changed AS (
        UPDATE suppression s SET pending = true FROM due
        WHERE s.address_hash = due.address_hash RETURNING s.*
    )
    SELECT array_agg(changed::suppression) INTO held FROM changed;
    PERFORM suppression_doubt(held);
    RETURN suppression_log(2::smallint, 1::smallint, 'held', held);
END $$;

-- As before, with those who wait for the decision.
CREATE OR REPLACE FUNCTION guard_decide(guard bigint, release boolean) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    entries suppression[];
BEGIN
    UPDATE suppression_guard SET decided_at = now(), released = release
        WHERE id = guard AND held_at IS NOT NULL AND decided_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    WITH waiting AS (
        DELETE FROM suppression_again WHERE guard_id = guard RETURNING *
    )
    INSERT INTO suppression_again
        SELECT address_hash, recipient_key, campaign_id, ref, 0 FROM waiting
        WHERE release ORDER BY address_hash ON CONFLICT DO NOTHING;
    IF release THEN
        WITH changed AS (
            UPDATE suppression SET pending = false WHERE guard_id = guard AND pending RETURNING *
        )
        SELECT array_agg(changed::suppression) INTO entries FROM changed;
        RETURN suppression_log(1::smallint, 2::smallint, 'released', entries);
    END IF;
    WITH gone AS (
        DELETE FROM suppression WHERE guard_id = guard AND pending RETURNING *
    )
    SELECT array_agg(gone::suppression) INTO entries FROM gone;
    PERFORM suppression_put_aside(true, entries);
    PERFORM suppression_doubt(entries);
    RETURN coalesce(array_length(entries, 1), 0);
END $$;

-- As before, but what the guard holds stays with it and hinders no other until the decision, what lasts
-- longer with its class; and nobody waits to be judged again.
CREATE OR REPLACE FUNCTION suppression_erase(who bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone suppression[];
    entry suppression;
    n bigint;
BEGIN
    DELETE FROM suppression_strike WHERE address_hash = who;
    DELETE FROM suppression_probation WHERE address_hash = who;
    DELETE FROM suppression_again WHERE address_hash = who;
    DELETE FROM suppression WHERE address_hash = who RETURNING * INTO entry;
    UPDATE suppression_change SET address = NULL, note = NULL, status_ids = '{}',
        address_hash = erased_hash(who) WHERE address_hash = who AND hash_until IS NULL;
    UPDATE suppression_aside SET status_ids = '{}', address_hash = erased_hash(who)
        WHERE address_hash = who;
    IF entry.address_hash IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO suppression AS s (address_hash, class, evidence, source, pending, created_at,
                                  expires_at, caused_at, guard_id)
        VALUES (erased_hash(who), entry.class, entry.evidence, entry.source, entry.pending,
                entry.created_at, entry.expires_at, entry.caused_at,
                CASE WHEN entry.pending THEN entry.guard_id END)
        ON CONFLICT (address_hash) DO UPDATE SET class = excluded.class,
            evidence = excluded.evidence, source = excluded.source, pending = excluded.pending,
            created_at = excluded.created_at, expires_at = excluded.expires_at,
            caused_at = excluded.caused_at, guard_id = excluded.guard_id
        WHERE s.expires_at <= now() OR s.pending AND NOT excluded.pending
           OR s.pending = excluded.pending
              AND s.expires_at < coalesce(excluded.expires_at, 'infinity');
    IF entry.pending THEN
        RETURN 1; -- those who mirror the list hold nothing of it
    END IF;
    entry.address := NULL;
    entry.status_ids := '{}';
    gone := ARRAY[entry];
    n := suppression_log(4::smallint, 2::smallint, NULL, gone);
    UPDATE suppression_change SET hash_until = now() + interval '30 days'
        WHERE seq = (SELECT c.seq FROM suppression_clock c);
    RETURN n;
END $$;

-- As before, but what is held of an erased address suppresses nobody, so others have to; with what is
-- held of somebody who has another entry, what is held from the beginning in the history, and why it
-- was asked for.
CREATE OR REPLACE FUNCTION suppression_rejudge(
    do_apply boolean, addresses bytea[], hash bytea[], address text[], campaign_id bigint[],
    ref text[], class smallint[], evidence smallint[], status_id bigint[], delivery text[],
    at timestamptz[], provider text[], signature text[], confirmed bytea[],
    confirmed_at timestamptz[])
    RETURNS TABLE (op smallint, was smallint, becomes smallint, who text)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    oldest bigint := coalesce((SELECT s.id FROM status s ORDER BY s.id LIMIT 1), 0);
    strikes suppression_strike[];
    wanted suppression[];
    gone suppression[];
    added suppression[];
    why text := coalesce(nullif(current_setting('dsnd.why', true), ''), 'reclassified');
BEGIN
    IF do_apply THEN
        PERFORM FROM suppression_strike k WHERE k.address_hash = ANY (addresses)
            ORDER BY k.address_hash, k.class, k.campaign_id, k.ref FOR UPDATE;
        PERFORM FROM suppression s WHERE s.address_hash = ANY (addresses)
            ORDER BY s.address_hash FOR UPDATE;
    END IF;

    CREATE TEMP TABLE IF NOT EXISTS rejudge_failure (LIKE suppression_strike, evidence smallint,
        address text, own_ref text, provider text, signature text) ON COMMIT DROP;
    DELETE FROM rejudge_failure;
    INSERT INTO rejudge_failure
        SELECT n.hash, n.class, n.campaign_id, n.delivery, n.at, n.status_id, n.evidence,
               n.address, n.ref, n.provider, n.signature
        FROM unnest(suppression_rejudge.hash, suppression_rejudge.address,
                    suppression_rejudge.campaign_id, suppression_rejudge.ref,
                    suppression_rejudge.class, suppression_rejudge.evidence,
                    suppression_rejudge.status_id, suppression_rejudge.delivery,
                    suppression_rejudge.at, suppression_rejudge.provider,
                    suppression_rejudge.signature)
             n(hash, address, campaign_id, ref, class, evidence, status_id, delivery, at, provider,
               signature)
        LEFT JOIN (SELECT h, max(t) AS at FROM unnest(confirmed, confirmed_at) u(h, t) GROUP BY h) c
            ON c.h = n.hash
        LEFT JOIN LATERAL (SELECT suppression_lifted_at(n.hash) AS at) l ON true
        WHERE (c.at IS NULL OR n.at >= c.at OR n.class = 15) AND (l.at IS NULL OR n.at > l.at);

    SELECT array_agg(ROW (k.*)::suppression_strike) INTO strikes FROM (
        SELECT DISTINCT ON (f.address_hash, f.class, f.campaign_id, f.ref)
            f.address_hash, f.class, f.campaign_id, f.ref, f.at, f.status_id
        FROM rejudge_failure f JOIN suppression_policy p ON p.class = f.class AND p.threshold > 1
            AND f.evidence >= p.evidence
        WHERE f.at >= now() - (SELECT max(window_s) FROM suppression_policy) * interval '1 second'
        ORDER BY 1, 2, 3, 4, f.at, f.status_id) k;

    SELECT array_agg(w.entry) INTO wanted FROM (
        SELECT DISTINCT ON (f.address_hash) ROW (f.address_hash, f.address, f.campaign_id,
            f.own_ref, f.class, f.evidence, 1, x.held, x.ids, NULL, now(), x.expires_at, x.at,
            x.guard_id, false)::suppression AS entry
        FROM rejudge_failure f JOIN suppression_policy p ON p.class = f.class AND p.threshold > 0
            AND f.evidence >= p.evidence
        LEFT JOIN suppression_guard g ON g.campaign_id = f.campaign_id AND g.provider = f.provider
            AND g.hour = date_trunc('hour', f.at, 'UTC') AND g.signature = f.signature
        CROSS JOIN LATERAL (
            SELECT y.ids, y.at,
                   CASE WHEN y.kept THEN y.kept_until ELSE y.at + p.expires_s * interval '1 second'
                   END AS expires_at,
                   g.id AS guard_id,
                   coalesce(g.held_at IS NOT NULL AND g.decided_at IS NULL, false) AS held
            FROM (SELECT ARRAY[f.status_id] AS ids, f.at, false AS kept,
                      NULL::timestamptz AS kept_until WHERE p.threshold = 1
                  UNION ALL
                  -- What one failure on probation made goes on as long as that failure does.
                  SELECT r.status_ids, f.at, true, r.expires_at FROM suppression r
                  WHERE r.address_hash = f.address_hash AND r.class = f.class
                    AND r.source = 1 AND r.status_ids = ARRAY[f.status_id]
                  UNION ALL
                  (SELECT w.ids, e.at, false, NULL
                   FROM unnest(strikes) e CROSS JOIN LATERAL (
                      SELECT count(*) AS strikes,
                          count(DISTINCT (k.at AT TIME ZONE 'UTC')::date) AS days,
                          array_agg(k.status_id ORDER BY k.at, k.status_id) AS ids
                      FROM (SELECT * FROM unnest(strikes) k
                            WHERE k.address_hash = f.address_hash AND k.class = f.class
                              AND k.at <= e.at AND k.at >= e.at - p.window_s * interval '1 second'
                            ORDER BY k.at DESC LIMIT 100) k) w
                   WHERE p.threshold > 1 AND e.address_hash = f.address_hash AND e.class = f.class
                     AND e.at >= f.at AND e.at <= f.at + p.window_s * interval '1 second'
                     AND w.strikes >= p.threshold AND w.days >= p.distinct_days
                   ORDER BY e.at LIMIT 1)) y) x
        WHERE g.released IS NOT FALSE AND (x.expires_at IS NULL OR x.expires_at > now())
          AND NOT EXISTS (SELECT FROM suppression t WHERE t.address_hash = erased_hash(f.address_hash)
                          AND t.expires_at IS NULL AND NOT t.pending)
        ORDER BY f.address_hash, x.held, f.class <> 15,
                 CASE WHEN x.expires_at IS NOT NULL THEN p.expires_s END DESC NULLS FIRST, x.at,
                 f.at DESC, f.status_id) w;

    CREATE TEMP TABLE IF NOT EXISTS rejudge_entry (op smallint, was suppression,
        becomes suppression) ON COMMIT DROP;
    DELETE FROM rejudge_entry;
    INSERT INTO rejudge_entry
        SELECT CASE WHEN j.becomes IS NULL THEN 2 ELSE 1 END, j.was, j.becomes FROM (
            SELECT s.address_hash IS NOT NULL AS there, w.address_hash IS NOT NULL AS due,
                CASE WHEN s.address_hash IS NOT NULL THEN s END AS was,
                CASE WHEN w.address_hash IS NOT NULL THEN w END AS becomes,
                s.status_ids <> '{}' AND oldest <= ALL (s.status_ids) AS explained,
                s.class <> 15 AND s.caused_at < (SELECT max(c.t) FROM unnest(confirmed, confirmed_at)
                    c(h, t) WHERE c.h = a.h) AS delivered
            FROM unnest(addresses) a(h)
            LEFT JOIN suppression s ON s.address_hash = a.h
            LEFT JOIN unnest(wanted) w ON w.address_hash = a.h) j
        WHERE NOT j.there AND j.due
           OR j.there AND (j.was).source = 1 AND CASE
              WHEN (j.was).pending THEN j.due AND NOT (j.becomes).pending
              WHEN (j.was).expires_at <= now() THEN j.due
              WHEN j.explained THEN NOT j.due
                  OR ((j.was).class, (j.was).status_ids) IS DISTINCT FROM
                     ((j.becomes).class, (j.becomes).status_ids)
              WHEN j.due THEN (j.was).expires_at IS NOT NULL AND (j.becomes).expires_at IS NULL
              ELSE j.delivered END;

    IF do_apply THEN
        DELETE FROM suppression_strike k WHERE k.address_hash = ANY (addresses)
            AND k.status_id >= oldest AND NOT EXISTS (SELECT FROM unnest(strikes) n
                WHERE (n.address_hash, n.class, n.campaign_id, n.ref) =
                      (k.address_hash, k.class, k.campaign_id, k.ref));
        INSERT INTO suppression_strike SELECT * FROM unnest(strikes) ORDER BY 1, 2, 3, 4
            ON CONFLICT (address_hash, class, campaign_id, ref) DO UPDATE
            SET at = excluded.at, status_id = excluded.status_id;
        DELETE FROM suppression s USING rejudge_entry e
            WHERE s.address_hash = (e.was).address_hash;
        INSERT INTO suppression
            SELECT (b.becomes).* FROM (SELECT e.becomes FROM rejudge_entry e
                WHERE (e.becomes).address_hash IS NOT NULL ORDER BY (e.becomes).address_hash) b;
        -- An entry that goes on under another cause is as old as it was.
        UPDATE suppression s SET created_at = (e.was).created_at FROM rejudge_entry e
            WHERE s.address_hash = (e.becomes).address_hash AND (e.was).address_hash IS NOT NULL
              AND NOT (e.was).pending AND ((e.was).expires_at IS NULL OR (e.was).expires_at > now());
        -- What is held of those that others suppress.
        INSERT INTO suppression_again
            SELECT DISTINCT f.address_hash, CASE WHEN f.own_ref IS NULL
                    THEN address_key(f.address_hash) ELSE 0 END,
                CASE WHEN f.own_ref IS NOT NULL THEN f.campaign_id END, f.own_ref, g.id
            FROM rejudge_failure f JOIN suppression_guard g ON g.campaign_id = f.campaign_id
                AND g.provider = f.provider AND g.hour = date_trunc('hour', f.at, 'UTC')
                AND g.signature = f.signature
            WHERE g.held_at IS NOT NULL AND g.decided_at IS NULL AND NOT EXISTS (
                SELECT FROM suppression s WHERE s.address_hash = f.address_hash
                    AND s.guard_id = g.id AND s.pending)
            ORDER BY 1, 5 ON CONFLICT DO NOTHING;
        SELECT array_agg(e.was) FILTER (WHERE e.op = 2 OR (e.becomes).pending),
               array_agg(e.becomes) FILTER (WHERE e.op = 1 AND NOT (e.becomes).pending)
            INTO gone, added FROM rejudge_entry e;
        SELECT array_agg(g) INTO gone FROM unnest(gone) g WHERE g.address_hash IS NOT NULL;
        PERFORM suppression_log(2::smallint, 1::smallint, why, gone);
        PERFORM suppression_log(1::smallint, 1::smallint, why, added);
        -- No mirror hears of what is held from the beginning, but those who ask why do.
        PERFORM suppression_put_aside(false, (SELECT array_agg(e.becomes) FROM rejudge_entry e
            WHERE (e.becomes).pending AND (e.was).address_hash IS NULL));
    END IF;
    RETURN QUERY SELECT e.op, (e.was).class, (e.becomes).class,
            coalesce((e.was).address, (e.becomes).address, (e.was).ref, (e.becomes).ref)
        FROM rejudge_entry e
        WHERE NOT (e.op = 1 AND (e.becomes).pending)
        ORDER BY coalesce((e.was).address_hash, (e.becomes).address_hash);
END $$;
