-- What has to happen as time passes.

-- Locks in the order of the batch writer: deliveries, then the totals from fine to coarse, each in
-- key order. What a writer holds just now is left for the next call.
CREATE FUNCTION delivery_expire(at timestamptz, delayed_before timestamptz, most integer)
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
COMMENT ON FUNCTION delivery_expire(timestamptz, timestamptz, integer) IS
    'Close delays that began before delayed_before, at most so many; the number closed';

CREATE FUNCTION suppression_expire(at timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
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
    RETURN suppression_log(3::smallint, 1::smallint, NULL, gone);
END $$;
COMMENT ON FUNCTION suppression_expire(timestamptz) IS
    'Lift the suppressions whose time is over, at most 10,000 at once; the number lifted';
