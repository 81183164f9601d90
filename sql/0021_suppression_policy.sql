-- The policy of every class, changed over the API; probation after an entry's time is over; and who
-- changed what on the list.

ALTER TABLE suppression_policy
    ADD COLUMN probation_s integer CHECK (probation_s > 0),
    ADD COLUMN relapse_lasts boolean NOT NULL DEFAULT false,
    ADD COLUMN evidence smallint NOT NULL DEFAULT 1 CHECK (evidence BETWEEN 1 AND 4),
    ADD COLUMN changed_at timestamptz,
    ADD COLUMN changed_by text;
COMMENT ON COLUMN suppression_policy.expires_s IS 'Seconds from the receipt of the report that decided it until the entry is lifted by itself; NULL never';
COMMENT ON COLUMN suppression_policy.probation_s IS 'Seconds after the end of an entry within which one failure of the class suppresses again; NULL none';
COMMENT ON COLUMN suppression_policy.relapse_lasts IS 'An entry made on probation never ends by itself';
COMMENT ON COLUMN suppression_policy.evidence IS 'The least evidence that counts: 1 matched, 2 signed_other, 3 signed_ref, 4 signed; never none';
COMMENT ON COLUMN suppression_policy.changed_at IS 'When somebody changed it; NULL as it was installed';
COMMENT ON COLUMN suppression_policy.changed_by IS 'Name of the token';

INSERT INTO suppression_policy (class, threshold, window_s)
    SELECT id, 0, 0 FROM class WHERE id > 0 ON CONFLICT DO NOTHING;
-- An inactive mailbox is tried once more after 30 days; a full one after 90.
UPDATE suppression_policy SET expires_s = 2592000, probation_s = 7776000, relapse_lasts = true
    WHERE class = 2 AND expires_s IS NULL;
UPDATE suppression_policy SET probation_s = 7776000 WHERE class = 4;
ALTER TABLE suppression_policy
    ADD CONSTRAINT not_the_senders_fault CHECK (threshold = 0 OR class NOT IN (10, 11, 12, 16)),
    ADD CONSTRAINT count_has_window CHECK (threshold < 2 OR window_s > 0),
    ADD CONSTRAINT days_within_count CHECK (distinct_days = 1 OR distinct_days <= threshold),
    ADD CONSTRAINT probation_after_end CHECK (probation_s IS NULL OR expires_s IS NOT NULL),
    ADD CONSTRAINT relapse_on_probation CHECK (probation_s IS NOT NULL OR NOT relapse_lasts);

CREATE TABLE suppression_policy_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    class smallint NOT NULL,
    changed_by text,
    before jsonb,
    after jsonb
);
COMMENT ON TABLE suppression_policy_change IS 'Every change of the policy, however it was made';
COMMENT ON COLUMN suppression_policy_change.id IS 'Number';
COMMENT ON COLUMN suppression_policy_change.at IS 'When';
COMMENT ON COLUMN suppression_policy_change.class IS 'class.id';
COMMENT ON COLUMN suppression_policy_change.changed_by IS 'Name of the token; NULL when changed in the database';
COMMENT ON COLUMN suppression_policy_change.before IS 'The row as it was';
COMMENT ON COLUMN suppression_policy_change.after IS 'The row as it became';

CREATE FUNCTION suppression_policy_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO suppression_policy_change (class, changed_by, before, after)
        VALUES (new.class, nullif(current_setting('dsnd.actor', true), ''),
                to_jsonb(old) - 'changed_at' - 'changed_by',
                to_jsonb(new) - 'changed_at' - 'changed_by');
    RETURN NULL;
END $$;
COMMENT ON FUNCTION suppression_policy_log() IS 'Note a change of the policy';
CREATE TRIGGER suppression_policy_log AFTER UPDATE ON suppression_policy
    FOR EACH ROW EXECUTE FUNCTION suppression_policy_log();

CREATE TABLE suppression_probation (
    address_hash bytea NOT NULL,
    class smallint NOT NULL,
    began_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    PRIMARY KEY (address_hash, class)
);
COMMENT ON TABLE suppression_probation IS 'Addresses whose entry ended by itself: one more failure of the class suppresses them again';
COMMENT ON COLUMN suppression_probation.address_hash IS 'suppression.address_hash';
COMMENT ON COLUMN suppression_probation.class IS 'class.id of the entry that ended';
COMMENT ON COLUMN suppression_probation.began_at IS 'When it ended';
COMMENT ON COLUMN suppression_probation.until_at IS 'Until when one failure is enough';
CREATE INDEX suppression_probation_until ON suppression_probation (until_at);

CREATE OR REPLACE FUNCTION suppression_expire(at timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone suppression[];
BEGIN
    WITH due AS (
        SELECT address_hash FROM suppression WHERE expires_at <= at
        ORDER BY address_hash LIMIT 10000 FOR UPDATE SKIP LOCKED
    ), removed AS (
        DELETE FROM suppression s USING due WHERE s.address_hash = due.address_hash RETURNING s.*
    )
    SELECT array_agg(removed::suppression) INTO gone FROM removed;
    INSERT INTO suppression_probation AS b (address_hash, class, began_at, until_at)
        SELECT e.address_hash, e.class, e.expires_at,
               e.expires_at + p.probation_s * interval '1 second'
        FROM unnest(gone) e JOIN suppression_policy p ON p.class = e.class
        WHERE e.source = 1 AND NOT e.pending AND p.probation_s IS NOT NULL ORDER BY e.address_hash
        ON CONFLICT (address_hash, class)
        DO UPDATE SET began_at = excluded.began_at, until_at = excluded.until_at;
    DELETE FROM suppression_probation WHERE until_at <= at;
    RETURN suppression_log(3::smallint, 1::smallint, NULL, gone);
END $$;

ALTER TABLE suppression_change ADD COLUMN actor text;
COMMENT ON COLUMN suppression_change.actor IS 'Name of the token, or the command, that asked for it; NULL when dsnd did it by itself';

-- As before, with who asked.
CREATE OR REPLACE FUNCTION suppression_log(op smallint, source smallint, note text,
                                           entries suppression[])
    RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint := coalesce(array_length(entries, 1), 0);
    last bigint;
BEGIN
    IF n = 0 THEN
        RETURN 0;
    END IF;
    UPDATE suppression_clock SET seq = suppression_clock.seq + n RETURNING suppression_clock.seq INTO last;
    INSERT INTO suppression_change (seq, op, class, address_hash, address, campaign_id, ref,
                                    expires_at, status_ids, source, note, actor)
        SELECT last - n + row_number() OVER (ORDER BY e.address_hash), suppression_log.op, e.class,
               e.address_hash, e.address, e.campaign_id, e.ref, e.expires_at, e.status_ids,
               suppression_log.source, suppression_log.note,
               nullif(current_setting('dsnd.actor', true), '')
        FROM unnest(entries) e;
    RETURN n;
END $$;

-- What happens to entries that do not suppress is no change of the list: those who mirror it must
-- not see it, but who asks why must.
CREATE TABLE suppression_aside (
    address_hash bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    dropped boolean NOT NULL,
    class smallint NOT NULL,
    campaign_id bigint,
    status_ids bigint[] NOT NULL DEFAULT '{}',
    guard_id bigint,
    actor text
);
COMMENT ON TABLE suppression_aside IS 'Entries that were held before they took effect, and held ones that were dropped';
COMMENT ON COLUMN suppression_aside.address_hash IS 'suppression.address_hash';
COMMENT ON COLUMN suppression_aside.at IS 'When';
COMMENT ON COLUMN suppression_aside.dropped IS 'True dropped, false held';
COMMENT ON COLUMN suppression_aside.class IS 'class.id';
COMMENT ON COLUMN suppression_aside.campaign_id IS 'Campaign of the first record';
COMMENT ON COLUMN suppression_aside.status_ids IS 'status.id of the records behind it';
COMMENT ON COLUMN suppression_aside.guard_id IS 'suppression_guard.id of the text that was held';
COMMENT ON COLUMN suppression_aside.actor IS 'Name of the token that dropped it';
CREATE INDEX suppression_aside_address ON suppression_aside (address_hash, at);

CREATE FUNCTION suppression_put_aside(dropped boolean, entries suppression[]) RETURNS bigint
    LANGUAGE sql AS $$
    WITH put AS (
        INSERT INTO suppression_aside (address_hash, dropped, class, campaign_id, status_ids,
                                       guard_id, actor)
            SELECT e.address_hash, suppression_put_aside.dropped, e.class, e.campaign_id,
                   e.status_ids, e.guard_id, nullif(current_setting('dsnd.actor', true), '')
            FROM unnest(entries) e RETURNING 1
    )
    SELECT count(*) FROM put
$$;
COMMENT ON FUNCTION suppression_put_aside(boolean, suppression[]) IS
    'Note entries that were held from the beginning, or held ones that were dropped; their number';

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
    RETURN coalesce(array_length(entries, 1), 0);
END $$;

-- As before, with what is new here.
CREATE OR REPLACE FUNCTION suppression_erase(who bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone suppression[];
    entry suppression;
BEGIN
    DELETE FROM suppression_strike WHERE address_hash = who;
    DELETE FROM suppression_probation WHERE address_hash = who;
    DELETE FROM suppression WHERE address_hash = who RETURNING * INTO entry;
    UPDATE suppression_change SET address = NULL, note = NULL, status_ids = '{}',
        address_hash = erased_hash(who) WHERE address_hash = who;
    UPDATE suppression_aside SET status_ids = '{}', address_hash = erased_hash(who)
        WHERE address_hash = who;
    IF entry.address_hash IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO suppression AS s (address_hash, class, evidence, source, pending, created_at,
                                  expires_at, caused_at)
        VALUES (erased_hash(who), entry.class, entry.evidence, entry.source, entry.pending,
                entry.created_at, entry.expires_at, entry.caused_at)
        ON CONFLICT (address_hash) DO UPDATE SET expires_at = excluded.expires_at;
    entry.address := NULL;
    entry.status_ids := '{}';
    gone := ARRAY[entry];
    RETURN suppression_log(4::smallint, 2::smallint, NULL, gone);
END $$;

ALTER TABLE suppression ADD COLUMN given_as_hash boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN suppression.given_as_hash IS 'Imported as a hash: the address is not known here, address_hash is that of the address all the same';

-- As before, with the evidence that the policy asks for, and probation.
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
BEGIN
    IF do_apply THEN
        PERFORM FROM suppression_strike k WHERE k.address_hash = ANY (addresses)
            ORDER BY k.address_hash, k.class, k.campaign_id, k.ref FOR UPDATE;
        PERFORM FROM suppression s WHERE s.address_hash = ANY (addresses)
            ORDER BY s.address_hash FOR UPDATE;
    END IF;

    CREATE TEMP TABLE IF NOT EXISTS rejudge_failure (LIKE suppression_strike, evidence smallint,
        address text, own_ref text, provider text, signature text) ON COMMIT DELETE ROWS;
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
        LEFT JOIN LATERAL (SELECT max(l.at) AS at FROM suppression_change l
            WHERE l.address_hash = n.hash AND l.op = 2 AND l.source <> 1) l ON true
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
                          AND t.expires_at IS NULL)
        ORDER BY f.address_hash, x.held, f.class <> 15,
                 CASE WHEN x.expires_at IS NOT NULL THEN p.expires_s END DESC NULLS FIRST, x.at,
                 f.at DESC, f.status_id) w;

    CREATE TEMP TABLE IF NOT EXISTS rejudge_entry (op smallint, was suppression,
        becomes suppression) ON COMMIT DELETE ROWS;
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
        SELECT array_agg(e.was) FILTER (WHERE e.op = 2 OR (e.becomes).pending),
               array_agg(e.becomes) FILTER (WHERE e.op = 1 AND NOT (e.becomes).pending)
            INTO gone, added FROM rejudge_entry e;
        SELECT array_agg(g) INTO gone FROM unnest(gone) g WHERE g.address_hash IS NOT NULL;
        PERFORM suppression_log(2::smallint, 1::smallint, 'reclassified', gone);
        PERFORM suppression_log(1::smallint, 1::smallint, 'reclassified', added);
    END IF;
    RETURN QUERY SELECT e.op, (e.was).class, (e.becomes).class,
            coalesce((e.was).address, (e.becomes).address, (e.was).ref, (e.becomes).ref)
        FROM rejudge_entry e
        WHERE NOT (e.op = 1 AND (e.becomes).pending)
        ORDER BY coalesce((e.was).address_hash, (e.becomes).address_hash);
END $$;
