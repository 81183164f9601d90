-- Judging stored records again: by other rules, or by parsing their raw messages anew.

-- All records of a delivery: what it is worth once one of them is judged otherwise; and for erasure.
CREATE INDEX status_delivery ON status (campaign_id, ref) WHERE ref IS NOT NULL;

CREATE FUNCTION address_hash(address text) RETURNS bytea
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN sha256(convert_to(lower(address COLLATE "C"), 'UTF8'));
COMMENT ON FUNCTION address_hash(text) IS
    'suppression.address_hash of an address: SHA-256 with ASCII letters lower-cased';

-- Records that prove another address than the one they name; the few that status_recipient misses.
CREATE INDEX status_proven ON status (address_hash(proven_recipient))
    WHERE proven_recipient IS NOT NULL AND proven_recipient IS DISTINCT FROM recipient;

COMMENT ON COLUMN suppression.campaign_id IS 'Campaign of the ref, or of the record that decided; NULL when set by hand';
COMMENT ON COLUMN suppression.evidence IS 'Evidence of the record that decided: 1 matched, 2 signed_other, 3 signed_ref, 4 signed; 0 by hand';

CREATE TABLE reclassify_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rules_version text NOT NULL,
    program text NOT NULL,
    from_at timestamptz,
    to_at timestamptz,
    campaign text,
    reparse boolean NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    position_id bigint NOT NULL DEFAULT 0,
    end_id bigint NOT NULL,
    reports bigint NOT NULL DEFAULT 0,
    statuses bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE reclassify_run IS 'Each time stored records were judged again; one that was cut off goes on where it stood';
COMMENT ON COLUMN reclassify_run.id IS 'Number';
COMMENT ON COLUMN reclassify_run.rules_version IS 'Version of the rule set';
COMMENT ON COLUMN reclassify_run.program IS 'Version of the program, which is that of its parser';
COMMENT ON COLUMN reclassify_run.from_at IS 'Reports received from then on; NULL from the first';
COMMENT ON COLUMN reclassify_run.to_at IS 'Reports received before; NULL to the last there was at its start';
COMMENT ON COLUMN reclassify_run.campaign IS 'Key of the one campaign; NULL all';
COMMENT ON COLUMN reclassify_run.reparse IS 'Raw messages that are kept were parsed anew';
COMMENT ON COLUMN reclassify_run.started_at IS 'When it began';
COMMENT ON COLUMN reclassify_run.updated_at IS 'When its last batch was stored';
COMMENT ON COLUMN reclassify_run.finished_at IS 'When it ended; NULL while it runs, and where it was cut off';
COMMENT ON COLUMN reclassify_run.position_id IS 'Reports with ids up to it are done';
COMMENT ON COLUMN reclassify_run.end_id IS 'Reports with smaller ids belong to it';
COMMENT ON COLUMN reclassify_run.reports IS 'Reports looked at';
COMMENT ON COLUMN reclassify_run.statuses IS 'Their status records';
COMMENT ON COLUMN reclassify_run.changed IS 'Records that changed in more than the version of the rules';

CREATE TABLE reclassify_address (
    address_hash bytea PRIMARY KEY,
    recipient_key bigint NOT NULL,
    campaign_id bigint,
    ref text
);
COMMENT ON TABLE reclassify_address IS 'Whose suppression has to be looked at when the records of a run are done';
COMMENT ON COLUMN reclassify_address.address_hash IS 'suppression.address_hash';
COMMENT ON COLUMN reclassify_address.recipient_key IS 'status.recipient_key of an address; 0 of a ref';
COMMENT ON COLUMN reclassify_address.campaign_id IS 'Campaign of a ref; NULL for an address';
COMMENT ON COLUMN reclassify_address.ref IS 'The ref; NULL for an address';

CREATE TABLE reclassify_change (
    status_id bigint NOT NULL,
    address_hash bytea,
    campaign_id bigint NOT NULL,
    ref text,
    at timestamptz NOT NULL,
    action smallint NOT NULL,
    class smallint NOT NULL,
    permanence smallint NOT NULL,
    evidence smallint NOT NULL,
    proven_recipient text,
    provider text NOT NULL,
    diagnostic text,
    kind smallint NOT NULL,
    feedback smallint NOT NULL
);
COMMENT ON TABLE reclassify_change IS 'Always empty: a dry run keeps what it would write in a temporary table of this name';
COMMENT ON COLUMN reclassify_change.status_id IS 'status.id';
COMMENT ON COLUMN reclassify_change.address_hash IS 'What it would prove; NULL where it proves nobody or would be gone';
COMMENT ON COLUMN reclassify_change.campaign_id IS 'As status.campaign_id';
COMMENT ON COLUMN reclassify_change.ref IS 'As status.ref';
COMMENT ON COLUMN reclassify_change.at IS 'As status.received_at';
COMMENT ON COLUMN reclassify_change.action IS 'As status.action';
COMMENT ON COLUMN reclassify_change.class IS 'As status.class';
COMMENT ON COLUMN reclassify_change.permanence IS 'As status.permanence';
COMMENT ON COLUMN reclassify_change.evidence IS 'As status.evidence';
COMMENT ON COLUMN reclassify_change.proven_recipient IS 'As status.proven_recipient';
COMMENT ON COLUMN reclassify_change.provider IS 'As status.provider';
COMMENT ON COLUMN reclassify_change.diagnostic IS 'As status.diagnostic';
COMMENT ON COLUMN reclassify_change.kind IS 'As report.kind';
COMMENT ON COLUMN reclassify_change.feedback IS 'As report.feedback';

-- The suppression that follows from all records of each address, the oldest first, as if they had
-- come one by one; against the one there is. What people set, lifted or have to decide stays. An
-- entry whose records retention has dropped is not touched but by a later delivery.
CREATE FUNCTION suppression_rejudge(
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
        WHERE f.at >= now() - (SELECT max(window_s) FROM suppression_policy) * interval '1 second'
        ORDER BY 1, 2, 3, 4, f.at, f.status_id) k;

    SELECT array_agg(w.entry) INTO wanted FROM (
        SELECT DISTINCT ON (f.address_hash) ROW (f.address_hash, f.address, f.campaign_id,
            f.own_ref, f.class, f.evidence, 1, x.held, x.ids, NULL, now(), x.expires_at, x.at,
            x.guard_id)::suppression AS entry
        FROM rejudge_failure f JOIN suppression_policy p ON p.class = f.class AND p.threshold > 0
        LEFT JOIN suppression_guard g ON g.campaign_id = f.campaign_id AND g.provider = f.provider
            AND g.hour = date_trunc('hour', f.at, 'UTC') AND g.signature = f.signature
        CROSS JOIN LATERAL (
            SELECT y.ids, y.at, f.at + p.expires_s * interval '1 second' AS expires_at,
                   g.id AS guard_id,
                   coalesce(g.held_at IS NOT NULL AND g.decided_at IS NULL, false) AS held
            FROM (SELECT ARRAY[f.status_id] AS ids, f.at WHERE p.threshold = 1
                  UNION ALL
                  (SELECT w.ids, e.at FROM unnest(strikes) e CROSS JOIN LATERAL (
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
        ORDER BY f.address_hash, x.held, f.class <> 15, p.expires_s DESC NULLS FIRST, x.at,
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
COMMENT ON FUNCTION suppression_rejudge(boolean, bytea[], bytea[], text[], bigint[], text[],
    smallint[], smallint[], bigint[], text[], timestamptz[], text[], text[], bytea[],
    timestamptz[]) IS
    'Suppressions of addresses from their failures and confirmed deliveries, all there are: what changes, and it is changed where do_apply';
