-- The sum of total_hour over all campaigns: what a view of everything reads, so that it does not grow
-- with the number of campaigns. Kept by triggers in the transaction that changes total_hour.

CREATE TABLE total_hour_all (
    hour timestamptz NOT NULL,
    provider text NOT NULL,
    class smallint NOT NULL,
    sent bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    hard bigint NOT NULL DEFAULT 0,
    soft bigint NOT NULL DEFAULT 0,
    block bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    handed_off bigint NOT NULL DEFAULT 0,
    delay_open bigint NOT NULL DEFAULT 0,
    delayed bigint NOT NULL DEFAULT 0,
    complained bigint NOT NULL DEFAULT 0,
    statuses bigint NOT NULL DEFAULT 0,
    proven bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, provider, class)
) WITH (fillfactor = 50);
COMMENT ON TABLE total_hour_all IS 'Counts by hour, provider and class over all campaigns: the sum of total_hour';
COMMENT ON COLUMN total_hour_all.hour IS 'As total_hour.hour';
COMMENT ON COLUMN total_hour_all.provider IS 'As total_hour.provider';
COMMENT ON COLUMN total_hour_all.class IS 'As total_hour.class';
COMMENT ON COLUMN total_hour_all.sent IS 'Messages registered as sent, in the hour they were sent';
COMMENT ON COLUMN total_hour_all.failed IS 'Deliveries that failed; hard + soft + block';
COMMENT ON COLUMN total_hour_all.hard IS 'Failed for a lasting fault of the recipient';
COMMENT ON COLUMN total_hour_all.soft IS 'Failed for a passing or technical fault';
COMMENT ON COLUMN total_hour_all.block IS 'Failed because sender or content was refused';
COMMENT ON COLUMN total_hour_all.delivered IS 'Deliveries confirmed as delivered';
COMMENT ON COLUMN total_hour_all.handed_off IS 'Deliveries relayed or expanded';
COMMENT ON COLUMN total_hour_all.delay_open IS 'Deliveries delayed now';
COMMENT ON COLUMN total_hour_all.delayed IS 'Deliveries with at least one delayed record, closed or not';
COMMENT ON COLUMN total_hour_all.complained IS 'Deliveries with a complaint';
COMMENT ON COLUMN total_hour_all.statuses IS 'Status records received, duplicates not counted';
COMMENT ON COLUMN total_hour_all.proven IS 'Those of them with evidence other than none';

INSERT INTO total_hour_all (hour, provider, class, sent, failed, hard, soft, block, delivered, handed_off, delay_open, delayed, complained, statuses, proven)
    SELECT x.hour, x.provider, x.class,
           sum(x.sent), sum(x.failed), sum(x.hard), sum(x.soft),
           sum(x.block), sum(x.delivered), sum(x.handed_off), sum(x.delay_open),
           sum(x.delayed), sum(x.complained), sum(x.statuses), sum(x.proven)
    FROM total_hour x GROUP BY 1, 2, 3;

CREATE FUNCTION total_hour_all_add() RETURNS trigger LANGUAGE plpgsql AS $$
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
COMMENT ON FUNCTION total_hour_all_add() IS 'New rows of total_hour';

CREATE FUNCTION total_hour_all_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
COMMENT ON FUNCTION total_hour_all_change() IS 'Changed rows of total_hour';

CREATE FUNCTION total_hour_all_drop() RETURNS trigger LANGUAGE plpgsql AS $$
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
COMMENT ON FUNCTION total_hour_all_drop() IS 'Rows that leave total_hour';

CREATE TRIGGER total_hour_all_add AFTER INSERT ON total_hour
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION total_hour_all_add();
CREATE TRIGGER total_hour_all_change AFTER UPDATE ON total_hour
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION total_hour_all_change();
CREATE TRIGGER total_hour_all_drop AFTER DELETE ON total_hour
    REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION total_hour_all_drop();
