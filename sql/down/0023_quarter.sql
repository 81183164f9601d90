DELETE FROM total_roll WHERE dims = 4;
ALTER TABLE total_roll DROP CONSTRAINT total_roll_dims_check,
    ADD CONSTRAINT total_roll_dims_check CHECK (dims BETWEEN 0 AND 3);
COMMENT ON COLUMN total_roll.dims IS 'What is told apart: OR of 1 providers, 2 classes';
COMMENT ON COLUMN total_roll.hour IS 'UTC hour; -infinity when the time of sending is not known';
CREATE OR REPLACE FUNCTION total_spread(basis smallint, delta total_hour[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF delta IS NULL THEN
        RETURN;
    END IF;
    IF basis = 0 THEN
        INSERT INTO total_hour_all AS t (
            hour, provider, class, sent, failed, hard, soft, block, delivered, handed_off,
            delay_open, delayed, complained, statuses, proven)
            SELECT x.hour, x.provider, x.class,
                sum(x.sent), sum(x.failed), sum(x.hard), sum(x.soft), sum(x.block),
                sum(x.delivered), sum(x.handed_off), sum(x.delay_open), sum(x.delayed),
                sum(x.complained), sum(x.statuses), sum(x.proven)
            FROM unnest(delta) x GROUP BY 1, 2, 3
            ON CONFLICT (hour, provider, class) DO UPDATE SET
                sent = t.sent + excluded.sent, failed = t.failed + excluded.failed,
                hard = t.hard + excluded.hard, soft = t.soft + excluded.soft,
                block = t.block + excluded.block, delivered = t.delivered + excluded.delivered,
                handed_off = t.handed_off + excluded.handed_off,
                delay_open = t.delay_open + excluded.delay_open,
                delayed = t.delayed + excluded.delayed,
                complained = t.complained + excluded.complained,
                statuses = t.statuses + excluded.statuses, proven = t.proven + excluded.proven;
    END IF;
    INSERT INTO total_roll AS t (
        basis, campaign_id, dims, hour, provider, class, sent, failed, hard, soft, block,
        delivered, handed_off, delay_open, delayed, complained, statuses, proven)
        SELECT total_spread.basis, r.campaign_id, r.dims, date_trunc('hour', x.hour, 'UTC'),
            r.provider, r.class,
            sum(x.sent), sum(x.failed), sum(x.hard), sum(x.soft), sum(x.block),
            sum(x.delivered), sum(x.handed_off), sum(x.delay_open), sum(x.delayed),
            sum(x.complained), sum(x.statuses), sum(x.proven)
        FROM unnest(delta) x CROSS JOIN LATERAL (VALUES
            (0, x.campaign_id, 0, '', 0), (0, -1, 0, '', 0), (0, -1, 1, x.provider, 0),
            (0, -1, 2, '', x.class), (1, -1, 0, '', 0), (1, -1, 1, x.provider, 0),
            (1, -1, 2, '', x.class), (1, -1, 3, x.provider, x.class)
        ) r (basis, campaign_id, dims, provider, class)
        WHERE r.basis = total_spread.basis GROUP BY 2, 3, 4, 5, 6
        ON CONFLICT ON CONSTRAINT total_roll_pkey DO UPDATE SET
            sent = t.sent + excluded.sent, failed = t.failed + excluded.failed,
            hard = t.hard + excluded.hard, soft = t.soft + excluded.soft,
            block = t.block + excluded.block, delivered = t.delivered + excluded.delivered,
            handed_off = t.handed_off + excluded.handed_off,
            delay_open = t.delay_open + excluded.delay_open,
            delayed = t.delayed + excluded.delayed,
            complained = t.complained + excluded.complained,
            statuses = t.statuses + excluded.statuses, proven = t.proven + excluded.proven;
END $$;

CREATE OR REPLACE FUNCTION delivery_total(stale delivery[], fresh delivery[]) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    delta total_hour[];
BEGIN
    IF stale IS NULL AND fresh IS NULL THEN
        RETURN;
    END IF;
    PERFORM total_lock();
    SELECT array_agg(ROW(s.*)::total_hour) INTO delta FROM (
        SELECT x.campaign_id, x.hour, x.provider, x.class,
            sum(x.sent)::bigint AS sent, sum(x.failed)::bigint AS failed,
            sum(x.hard)::bigint AS hard, sum(x.soft)::bigint AS soft,
            sum(x.block)::bigint AS block, sum(x.delivered)::bigint AS delivered,
            sum(x.handed_off)::bigint AS handed_off, sum(x.delay_open)::bigint AS delay_open,
            sum(x.delayed)::bigint AS delayed, sum(x.complained)::bigint AS complained,
            sum(x.statuses)::bigint AS statuses, sum(x.proven)::bigint AS proven
        FROM (SELECT c.* FROM unnest(fresh) d CROSS JOIN LATERAL delivery_counts(d) c
              UNION ALL
              SELECT (total_negated(c)).* FROM unnest(stale) d
              CROSS JOIN LATERAL delivery_counts(d) c) x
        GROUP BY 1, 2, 3, 4) s
        WHERE (s.failed, s.hard, s.soft, s.block, s.delivered, s.handed_off, s.delay_open,
               s.delayed, s.complained) <> (0, 0, 0, 0, 0, 0, 0, 0, 0);
    IF delta IS NOT NULL THEN
        PERFORM total_cohort_add(delta);
    END IF;
    INSERT INTO total_delay AS t (campaign_id, provider, open, handed_off, delivered, failed,
                                  expired)
        SELECT c.id, x.provider,
            sum(x.n * (x.state = 1 AND x.delay_expired_at IS NULL)::int), sum(x.n * (x.state = 2)::int),
            sum(x.n * (x.state = 3)::int), sum(x.n * (x.state = 4)::int),
            sum(x.n * (x.state = 1 AND x.delay_expired_at IS NOT NULL)::int)
        FROM (SELECT 1 AS n, d.* FROM unnest(fresh) d
              UNION ALL SELECT -1, d.* FROM unnest(stale) d) x
        CROSS JOIN LATERAL (VALUES (x.campaign_id), (-1)) c (id)
        WHERE x.delayed_at IS NOT NULL GROUP BY 1, 2
        ON CONFLICT (campaign_id, provider) DO UPDATE SET open = t.open + excluded.open,
            handed_off = t.handed_off + excluded.handed_off,
            delivered = t.delivered + excluded.delivered, failed = t.failed + excluded.failed,
            expired = t.expired + excluded.expired;
END $$;

CREATE OR REPLACE FUNCTION delivery_expire(at timestamptz, delayed_before timestamptz, most integer)
    RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    closed delivery[];
BEGIN
    WITH due AS (
        SELECT campaign_id, ref FROM delivery
        WHERE state = 1 AND delay_expired_at IS NULL AND delayed_at < delayed_before
        ORDER BY campaign_id, ref LIMIT most FOR UPDATE SKIP LOCKED
    ), changed AS (
        UPDATE delivery d SET delay_expired_at = at FROM due
        WHERE d.campaign_id = due.campaign_id AND d.ref = due.ref RETURNING d.*
    )
    SELECT array_agg(changed::delivery) INTO closed FROM changed;
    IF closed IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO total_hour AS t (campaign_id, hour, provider, class, delay_open)
        SELECT campaign_id, total_bucket(outcome_at), provider, class, -count(*)
        FROM unnest(closed) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (campaign_id, hour, provider, class)
        DO UPDATE SET delay_open = t.delay_open + excluded.delay_open;
    INSERT INTO total_breakdown AS t (campaign_id, provider, class, delay_open)
        SELECT campaign_id, provider, class, -count(*)
        FROM unnest(closed) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (campaign_id, provider, class)
        DO UPDATE SET delay_open = t.delay_open + excluded.delay_open;
    INSERT INTO total_campaign AS t (campaign_id, delay_open)
        SELECT campaign_id, -count(*) FROM unnest(closed) GROUP BY 1 ORDER BY 1
        ON CONFLICT (campaign_id) DO UPDATE SET delay_open = t.delay_open + excluded.delay_open;
    RETURN array_length(closed, 1);
END $$;
DROP TABLE total_delay_slot;
