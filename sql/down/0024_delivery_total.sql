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
    INSERT INTO total_delay_slot AS t (slot, provider, open)
        SELECT total_bucket(x.delayed_at), x.provider, sum(x.n)
        FROM (SELECT 1 AS n, d.* FROM unnest(fresh) d
              UNION ALL SELECT -1, d.* FROM unnest(stale) d) x
        WHERE x.delayed_at IS NOT NULL AND x.state = 1 AND x.delay_expired_at IS NULL
        GROUP BY 1, 2 HAVING sum(x.n) <> 0
        ON CONFLICT (slot, provider) DO UPDATE SET open = t.open + excluded.open;
END $$;
