DROP TRIGGER delivery_total_add ON delivery;
DROP TRIGGER delivery_total_change ON delivery;
DROP TRIGGER delivery_total_drop ON delivery;
DROP TRIGGER total_hour_lock ON total_hour;
DROP FUNCTION delivery_total_add();
DROP FUNCTION delivery_total_change();
DROP FUNCTION delivery_total_drop();
DROP FUNCTION total_hour_lock();
DROP FUNCTION send_add(text[], text[], text[], bigint[], text[], text[], text[], timestamptz[]);
DROP FUNCTION delivery_total(delivery[], delivery[]);
DROP FUNCTION delivery_counts(delivery);
DROP FUNCTION total_cohort_add(total_hour[]);
CREATE OR REPLACE FUNCTION total_hour_all_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- In the order of the key, so that several writers wait for each other and never in a circle.
    INSERT INTO total_hour_all AS t (hour, provider, class, sent, failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained, statuses, proven)
        SELECT x.hour, x.provider, x.class,
               sum(x.sent), sum(x.failed), sum(x.hard), sum(x.soft),
               sum(x.block), sum(x.delivered), sum(x.handed_off), sum(x.delay_open),
               sum(x.delayed), sum(x.complained), sum(x.statuses), sum(x.proven)
        FROM fresh x GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (hour, provider, class) DO UPDATE SET
            sent = t.sent + excluded.sent,
            failed = t.failed + excluded.failed,
            hard = t.hard + excluded.hard,
            soft = t.soft + excluded.soft,
            block = t.block + excluded.block,
            delivered = t.delivered + excluded.delivered,
            handed_off = t.handed_off + excluded.handed_off,
            delay_open = t.delay_open + excluded.delay_open,
            delayed = t.delayed + excluded.delayed,
            complained = t.complained + excluded.complained,
            statuses = t.statuses + excluded.statuses,
            proven = t.proven + excluded.proven;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION total_hour_all_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- In the order of the key, so that several writers wait for each other and never in a circle.
    INSERT INTO total_hour_all AS t (hour, provider, class, sent, failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained, statuses, proven)
        SELECT x.hour, x.provider, x.class,
               sum(x.sent), sum(x.failed), sum(x.hard), sum(x.soft),
               sum(x.block), sum(x.delivered), sum(x.handed_off), sum(x.delay_open),
               sum(x.delayed), sum(x.complained), sum(x.statuses), sum(x.proven)
        FROM (SELECT hour, provider, class, sent, failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained, statuses, proven FROM fresh UNION ALL
              SELECT hour, provider, class, -sent, -failed, -hard, -soft, -block, -delivered, -handed_off, -delay_open, -delayed, -complained, -statuses, -proven FROM stale) x GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (hour, provider, class) DO UPDATE SET
            sent = t.sent + excluded.sent,
            failed = t.failed + excluded.failed,
            hard = t.hard + excluded.hard,
            soft = t.soft + excluded.soft,
            block = t.block + excluded.block,
            delivered = t.delivered + excluded.delivered,
            handed_off = t.handed_off + excluded.handed_off,
            delay_open = t.delay_open + excluded.delay_open,
            delayed = t.delayed + excluded.delayed,
            complained = t.complained + excluded.complained,
            statuses = t.statuses + excluded.statuses,
            proven = t.proven + excluded.proven;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION total_hour_all_drop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- In the order of the key, so that several writers wait for each other and never in a circle.
    INSERT INTO total_hour_all AS t (hour, provider, class, sent, failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained, statuses, proven)
        SELECT x.hour, x.provider, x.class,
               sum(x.sent), sum(x.failed), sum(x.hard), sum(x.soft),
               sum(x.block), sum(x.delivered), sum(x.handed_off), sum(x.delay_open),
               sum(x.delayed), sum(x.complained), sum(x.statuses), sum(x.proven)
        FROM (SELECT hour, provider, class, -sent, -failed, -hard, -soft, -block, -delivered, -handed_off, -delay_open, -delayed, -complained, -statuses, -proven FROM stale) x GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (hour, provider, class) DO UPDATE SET
            sent = t.sent + excluded.sent,
            failed = t.failed + excluded.failed,
            hard = t.hard + excluded.hard,
            soft = t.soft + excluded.soft,
            block = t.block + excluded.block,
            delivered = t.delivered + excluded.delivered,
            handed_off = t.handed_off + excluded.handed_off,
            delay_open = t.delay_open + excluded.delay_open,
            delayed = t.delayed + excluded.delayed,
            complained = t.complained + excluded.complained,
            statuses = t.statuses + excluded.statuses,
            proven = t.proven + excluded.proven;
    RETURN NULL;
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
        SELECT campaign_id, date_trunc('hour', outcome_at, 'UTC'), provider, class, -count(*)
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
DROP FUNCTION total_spread(smallint, total_hour[]);
DROP FUNCTION total_negated(total_hour);
DROP TABLE total_delay;
DROP TABLE total_roll;
DROP TABLE total_cohort;
ALTER TABLE delivery DROP COLUMN sent_at, DROP COLUMN sent_registered;
DROP FUNCTION total_lock();
DROP FUNCTION total_bucket(timestamptz);
