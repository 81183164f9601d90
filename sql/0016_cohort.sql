-- When what is reported was sent: counts by the time of sending beside those by the time of the report.
--
-- And three things that all counts share from here on. They are filed by quarters of an hour, because
-- days of some zones begin at a half or a quarter. One lock, taken after the deliveries and before any
-- row of totals, lets one transaction at a time change them: they met in the rows of the present hour
-- anyway, and now cannot meet in a circle. What views of many campaigns or of long times read is summed
-- up beforehand (total_roll), by triggers, so that whoever changes deliveries or total_hour need not
-- know of it.

CREATE FUNCTION total_bucket(at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN date_bin(interval '15 minutes', at, timestamptz '2020-01-01 00:00:00+00');
COMMENT ON FUNCTION total_bucket(timestamptz) IS 'The quarter of an hour under which counts are filed';
COMMENT ON COLUMN total_hour.hour IS 'UTC quarter of an hour in which it began to be counted so';
COMMENT ON COLUMN total_hour_all.hour IS 'As total_hour.hour';

CREATE FUNCTION total_lock() RETURNS void LANGUAGE sql
    AS $$ SELECT pg_advisory_xact_lock(4920143, 3) $$;
COMMENT ON FUNCTION total_lock() IS
    'Until the end of the transaction nobody else changes totals; after the locks on deliveries, before any row of totals';

ALTER TABLE delivery ADD COLUMN sent_at timestamptz,
    ADD COLUMN sent_registered boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN delivery.sent_at IS 'When it was sent: as registered, else the first day on which a return path signed for it was minted; NULL when neither is known. Where it is counted in total_cohort';
COMMENT ON COLUMN delivery.sent_registered IS 'sent_at is that of the registered send';

CREATE TABLE total_cohort (
    campaign_id bigint NOT NULL,
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
    PRIMARY KEY (campaign_id, hour, provider, class)
) WITH (fillfactor = 70);
COMMENT ON TABLE total_cohort IS 'Counts of each campaign by the time of sending: the columns of total_hour';
COMMENT ON COLUMN total_cohort.campaign_id IS 'Campaign; 0 unattributed';
COMMENT ON COLUMN total_cohort.hour IS 'UTC quarter of an hour in which it was sent; -infinity when that is not known';
COMMENT ON COLUMN total_cohort.provider IS 'As total_hour.provider';
COMMENT ON COLUMN total_cohort.class IS 'As total_hour.class';
COMMENT ON COLUMN total_cohort.sent IS 'Messages registered as sent';
COMMENT ON COLUMN total_cohort.failed IS 'Deliveries that failed; hard + soft + block';
COMMENT ON COLUMN total_cohort.hard IS 'Failed for a lasting fault of the recipient';
COMMENT ON COLUMN total_cohort.soft IS 'Failed for a passing or technical fault';
COMMENT ON COLUMN total_cohort.block IS 'Failed because sender or content was refused';
COMMENT ON COLUMN total_cohort.delivered IS 'Deliveries confirmed as delivered';
COMMENT ON COLUMN total_cohort.handed_off IS 'Deliveries relayed or expanded';
COMMENT ON COLUMN total_cohort.delay_open IS 'Deliveries delayed now';
COMMENT ON COLUMN total_cohort.delayed IS 'Deliveries with at least one delayed record, closed or not';
COMMENT ON COLUMN total_cohort.complained IS 'Deliveries with a complaint';
COMMENT ON COLUMN total_cohort.statuses IS 'Status records received, duplicates not counted; 0 in total_cohort';
COMMENT ON COLUMN total_cohort.proven IS 'Those of them with evidence other than none; 0 in total_cohort';
CREATE INDEX total_cohort_hour ON total_cohort (hour);

CREATE TABLE total_roll (
    basis smallint NOT NULL CHECK (basis IN (0, 1)),
    campaign_id bigint NOT NULL,
    dims smallint NOT NULL CHECK (dims BETWEEN 0 AND 3),
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
    PRIMARY KEY (basis, campaign_id, dims, hour, provider, class)
) WITH (fillfactor = 50);
COMMENT ON TABLE total_roll IS 'Sums of total_hour and total_cohort by full hours: what a view reads that tells less apart';
COMMENT ON COLUMN total_roll.basis IS '0 sums of total_hour, 1 of total_cohort';
COMMENT ON COLUMN total_roll.campaign_id IS 'Campaign, of total_hour only; -1 all of them together';
COMMENT ON COLUMN total_roll.dims IS 'What is told apart: OR of 1 providers, 2 classes';
COMMENT ON COLUMN total_roll.hour IS 'UTC hour; -infinity when the time of sending is not known';
COMMENT ON COLUMN total_roll.provider IS 'Provider family; empty when unknown or not told apart';
COMMENT ON COLUMN total_roll.class IS 'class.id; 0 also when not told apart';
COMMENT ON COLUMN total_roll.sent IS 'Messages registered as sent';
COMMENT ON COLUMN total_roll.failed IS 'Deliveries that failed; hard + soft + block';
COMMENT ON COLUMN total_roll.hard IS 'Failed for a lasting fault of the recipient';
COMMENT ON COLUMN total_roll.soft IS 'Failed for a passing or technical fault';
COMMENT ON COLUMN total_roll.block IS 'Failed because sender or content was refused';
COMMENT ON COLUMN total_roll.delivered IS 'Deliveries confirmed as delivered';
COMMENT ON COLUMN total_roll.handed_off IS 'Deliveries relayed or expanded';
COMMENT ON COLUMN total_roll.delay_open IS 'Deliveries delayed now';
COMMENT ON COLUMN total_roll.delayed IS 'Deliveries with at least one delayed record, closed or not';
COMMENT ON COLUMN total_roll.complained IS 'Deliveries with a complaint';
COMMENT ON COLUMN total_roll.statuses IS 'Status records received, duplicates not counted; 0 in total_cohort';
COMMENT ON COLUMN total_roll.proven IS 'Those of them with evidence other than none; 0 in total_cohort';

CREATE TABLE total_delay (
    campaign_id bigint NOT NULL,
    provider text NOT NULL,
    open bigint NOT NULL DEFAULT 0,
    handed_off bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    expired bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign_id, provider)
) WITH (fillfactor = 50);
COMMENT ON TABLE total_delay IS 'Deliveries that were delayed, by what became of them';
COMMENT ON COLUMN total_delay.campaign_id IS 'Campaign; 0 unattributed, -1 all together';
COMMENT ON COLUMN total_delay.provider IS 'Provider family of the record that decided; empty when unknown';
COMMENT ON COLUMN total_delay.open IS 'Delayed now';
COMMENT ON COLUMN total_delay.handed_off IS 'Handed off after it';
COMMENT ON COLUMN total_delay.delivered IS 'Delivered after it';
COMMENT ON COLUMN total_delay.failed IS 'Failed after it';
COMMENT ON COLUMN total_delay.expired IS 'Given up after the horizon, without another word';

-- ---- sums of sums ----

CREATE FUNCTION total_spread(basis smallint, delta total_hour[]) RETURNS void LANGUAGE plpgsql AS $$
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
COMMENT ON FUNCTION total_spread(smallint, total_hour[]) IS
    'Add changes of total_hour (basis 0) or total_cohort (1) to what sums them up';

CREATE FUNCTION total_negated(x total_hour) RETURNS total_hour LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ROW(x.campaign_id, x.hour, x.provider, x.class, -x.sent, -x.failed, -x.hard, -x.soft, -x.block, -x.delivered,
        -x.handed_off, -x.delay_open, -x.delayed, -x.complained, -x.statuses, -x.proven)::total_hour;
COMMENT ON FUNCTION total_negated(total_hour) IS 'The same with all counts negative';

CREATE FUNCTION total_hour_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM total_lock();
    RETURN NULL;
END $$;
COMMENT ON FUNCTION total_hour_lock() IS 'Totals are about to change';
CREATE TRIGGER total_hour_lock BEFORE INSERT OR UPDATE OR DELETE ON total_hour
    FOR EACH STATEMENT EXECUTE FUNCTION total_hour_lock();

CREATE OR REPLACE FUNCTION total_hour_all_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM total_spread(0::smallint, (SELECT array_agg(f::total_hour) FROM fresh f));
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION total_hour_all_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM total_spread(0::smallint, (SELECT array_agg(f::total_hour) FROM fresh f)
        || (SELECT array_agg(total_negated(s::total_hour)) FROM stale s));
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION total_hour_all_drop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM total_spread(0::smallint,
        (SELECT array_agg(total_negated(s::total_hour)) FROM stale s));
    RETURN NULL;
END $$;

-- ---- what deliveries count for ----

CREATE FUNCTION delivery_counts(d delivery) RETURNS SETOF total_hour
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT d.campaign_id, coalesce(total_bucket(d.sent_at), '-infinity'), d.provider, d.class,
           0::bigint, (d.state = 4)::int::bigint, (d.state = 4 AND d.kind = 1)::int::bigint,
           (d.state = 4 AND d.kind = 2)::int::bigint, (d.state = 4 AND d.kind = 3)::int::bigint,
           (d.state = 3)::int::bigint, (d.state = 2)::int::bigint,
           (d.state = 1 AND d.delay_expired_at IS NULL)::int::bigint, 0::bigint, 0::bigint,
           0::bigint, 0::bigint
    WHERE d.state > 0
    UNION ALL
    SELECT d.campaign_id, coalesce(total_bucket(d.sent_at), '-infinity'), d.delayed_provider,
           d.delayed_class, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0 WHERE d.delayed_at IS NOT NULL
    UNION ALL
    SELECT d.campaign_id, coalesce(total_bucket(d.sent_at), '-infinity'), d.complained_provider,
           15::smallint, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 WHERE d.complained_at IS NOT NULL
$$;
COMMENT ON FUNCTION delivery_counts(delivery) IS 'What a delivery counts for in total_cohort';

CREATE FUNCTION total_cohort_add(delta total_hour[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO total_cohort AS t (
        campaign_id, hour, provider, class, sent, failed, hard, soft, block, delivered,
        handed_off, delay_open, delayed, complained, statuses, proven)
        SELECT * FROM unnest(delta)
        ON CONFLICT (campaign_id, hour, provider, class) DO UPDATE SET
            sent = t.sent + excluded.sent, failed = t.failed + excluded.failed,
            hard = t.hard + excluded.hard, soft = t.soft + excluded.soft,
            block = t.block + excluded.block, delivered = t.delivered + excluded.delivered,
            handed_off = t.handed_off + excluded.handed_off,
            delay_open = t.delay_open + excluded.delay_open,
            delayed = t.delayed + excluded.delayed,
            complained = t.complained + excluded.complained,
            statuses = t.statuses + excluded.statuses, proven = t.proven + excluded.proven;
    PERFORM total_spread(1::smallint, delta);
END $$;
COMMENT ON FUNCTION total_cohort_add(total_hour[]) IS
    'Add changes, one a key, to total_cohort and its sums; under total_lock()';

CREATE FUNCTION delivery_total(stale delivery[], fresh delivery[]) RETURNS void
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
COMMENT ON FUNCTION delivery_total(delivery[], delivery[]) IS
    'Take what deliveries counted for out of total_cohort and total_delay, and put in what they count for now';

CREATE FUNCTION delivery_total_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM delivery_total(NULL, (SELECT array_agg(f::delivery) FROM fresh f));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION delivery_total_add() IS 'New deliveries';

CREATE FUNCTION delivery_total_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM delivery_total((SELECT array_agg(s::delivery) FROM stale s),
                           (SELECT array_agg(f::delivery) FROM fresh f));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION delivery_total_change() IS 'Changed deliveries';

CREATE FUNCTION delivery_total_drop() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM delivery_total((SELECT array_agg(s::delivery) FROM stale s), NULL);
    RETURN NULL;
END $$;
COMMENT ON FUNCTION delivery_total_drop() IS 'Deliveries that are gone';

-- What was there before; however much it is, no array holds all of it.
UPDATE delivery d SET sent_at = s.sent_at, sent_registered = true
    FROM send s WHERE s.campaign_id = d.campaign_id AND s.ref = d.ref;
INSERT INTO total_cohort (campaign_id, hour, provider, class, sent, failed, hard, soft, block,
                          delivered, handed_off, delay_open, delayed, complained)
    SELECT x.campaign_id, x.hour, x.provider, x.class, sum(x.sent), sum(x.failed), sum(x.hard),
        sum(x.soft), sum(x.block), sum(x.delivered), sum(x.handed_off), sum(x.delay_open),
        sum(x.delayed), sum(x.complained)
    FROM (SELECT c.campaign_id, c.hour, c.provider, c.class, c.sent, c.failed, c.hard, c.soft,
                 c.block, c.delivered, c.handed_off, c.delay_open, c.delayed, c.complained
          FROM delivery d CROSS JOIN LATERAL delivery_counts(d) c
          UNION ALL
          SELECT campaign_id, total_bucket(sent_at), provider, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0
          FROM send) x
    GROUP BY 1, 2, 3, 4
    HAVING sum(x.sent + x.failed + x.delivered + x.handed_off + x.delay_open + x.delayed
               + x.complained) > 0;
INSERT INTO total_roll (basis, campaign_id, dims, hour, provider, class,
                        sent, failed, hard, soft, block, delivered, handed_off, delay_open,
                        delayed, complained, statuses, proven)
    SELECT r.basis, r.campaign_id, r.dims, date_trunc('hour', x.hour, 'UTC'), r.provider, r.class,
        sum(x.sent), sum(x.failed), sum(x.hard), sum(x.soft), sum(x.block), sum(x.delivered),
        sum(x.handed_off), sum(x.delay_open), sum(x.delayed), sum(x.complained),
        sum(x.statuses), sum(x.proven)
    FROM (SELECT 0 AS basis, h.* FROM total_hour h UNION ALL SELECT 1, c.* FROM total_cohort c) x
    CROSS JOIN LATERAL (VALUES
        (0, x.campaign_id, 0, '', 0), (0, -1, 0, '', 0), (0, -1, 1, x.provider, 0),
        (0, -1, 2, '', x.class), (1, -1, 0, '', 0), (1, -1, 1, x.provider, 0),
        (1, -1, 2, '', x.class), (1, -1, 3, x.provider, x.class)
    ) r (basis, campaign_id, dims, provider, class)
    WHERE r.basis = x.basis GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO total_delay (campaign_id, provider, open, handed_off, delivered, failed, expired)
    SELECT c.id, d.provider,
        count(*) FILTER (WHERE d.state = 1 AND d.delay_expired_at IS NULL),
        count(*) FILTER (WHERE d.state = 2), count(*) FILTER (WHERE d.state = 3),
        count(*) FILTER (WHERE d.state = 4),
        count(*) FILTER (WHERE d.state = 1 AND d.delay_expired_at IS NOT NULL)
    FROM delivery d CROSS JOIN LATERAL (VALUES (d.campaign_id), (-1)) c (id)
    WHERE d.delayed_at IS NOT NULL GROUP BY 1, 2;

CREATE TRIGGER delivery_total_add AFTER INSERT ON delivery
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION delivery_total_add();
CREATE TRIGGER delivery_total_change AFTER UPDATE ON delivery
    REFERENCING OLD TABLE AS stale NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION delivery_total_change();
CREATE TRIGGER delivery_total_drop AFTER DELETE ON delivery
    REFERENCING OLD TABLE AS stale FOR EACH STATEMENT EXECUTE FUNCTION delivery_total_drop();

-- ---- registration ----

-- A report may have come before its send is registered. Whoever stores reports of a campaign holds its
-- row (FOR KEY SHARE) until he commits, so here all deliveries of it are seen, and none is made while
-- we look.
CREATE FUNCTION send_add(campaigns text[], refs text[], recipients text[], recipient_keys bigint[],
                         message_ids text[], envelope_ids text[], providers text[],
                         sent_ats timestamptz[])
    RETURNS TABLE (is_new boolean) LANGUAGE plpgsql AS $$
DECLARE
    added send[];
BEGIN
    PERFORM FROM campaign c WHERE c.key = ANY (campaigns) ORDER BY c.id FOR UPDATE;
    WITH input AS (
        SELECT c.id AS campaign_id, i.*, row_number() OVER (PARTITION BY c.id, i.ref
                                                            ORDER BY i.ord) AS copy
        FROM unnest(campaigns, refs, recipients, recipient_keys, message_ids, envelope_ids,
                    providers, sent_ats) WITH ORDINALITY
            AS i (campaign, ref, recipient, recipient_key, message_id, envelope_id, provider,
                  sent_at, ord)
        JOIN campaign c ON c.key = i.campaign
    ), fresh AS (
        INSERT INTO send AS s (campaign_id, ref, recipient, recipient_key, message_id,
                               envelope_id, provider, sent_at)
            SELECT i.campaign_id, i.ref, i.recipient, i.recipient_key, i.message_id,
                   i.envelope_id, i.provider, i.sent_at
            FROM input i WHERE i.copy = 1 ORDER BY i.campaign_id, i.ref
            ON CONFLICT DO NOTHING RETURNING s.*
    )
    SELECT array_agg(fresh::send) INTO added FROM fresh;
    -- No join: sessions that write in batches do without hashes, and would compare each with each.
    RETURN QUERY SELECT x.is_added AND x.copy = 1 FROM (
        SELECT a.ord, bool_or(a.is_added) OVER (PARTITION BY a.campaign_id, a.ref) AS is_added,
            row_number() OVER (PARTITION BY a.campaign_id, a.ref ORDER BY a.ord) AS copy
        FROM (SELECT c.id AS campaign_id, i.ref, i.ord, false AS is_added
              FROM unnest(campaigns, refs) WITH ORDINALITY AS i (campaign, ref, ord)
              JOIN campaign c ON c.key = i.campaign
              UNION ALL
              SELECT f.campaign_id, f.ref, NULL, true FROM unnest(added) f) a) x
        WHERE x.ord IS NOT NULL ORDER BY x.ord;
    IF added IS NULL THEN
        RETURN;
    END IF;
    WITH mine AS (
        SELECT d.campaign_id, d.ref, a.sent_at FROM unnest(added) a
        JOIN delivery d ON d.campaign_id = a.campaign_id AND d.ref = a.ref
        ORDER BY 1, 2 FOR UPDATE OF d
    )
    UPDATE delivery d SET sent_at = mine.sent_at, sent_registered = true FROM mine
        WHERE d.campaign_id = mine.campaign_id AND d.ref = mine.ref;
    PERFORM total_lock();
    PERFORM total_cohort_add(array_agg(ROW(x.*)::total_hour)) FROM (
        SELECT a.campaign_id, total_bucket(a.sent_at), a.provider, 0::smallint, count(*),
            0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint,
            0::bigint, 0::bigint, 0::bigint, 0::bigint
        FROM unnest(added) a GROUP BY 1, 2, 3) x;
    INSERT INTO total_hour AS t (campaign_id, hour, provider, class, sent)
        SELECT a.campaign_id, total_bucket(a.sent_at), a.provider, 0, count(*)
        FROM unnest(added) a GROUP BY 1, 2, 3
        ON CONFLICT (campaign_id, hour, provider, class) DO UPDATE SET sent = t.sent + excluded.sent;
    INSERT INTO total_breakdown AS t (campaign_id, provider, class, sent)
        SELECT a.campaign_id, a.provider, 0, count(*) FROM unnest(added) a GROUP BY 1, 2
        ON CONFLICT (campaign_id, provider, class) DO UPDATE SET sent = t.sent + excluded.sent;
    INSERT INTO total_campaign AS t (campaign_id, sent)
        SELECT a.campaign_id, count(*) FROM unnest(added) a GROUP BY 1
        ON CONFLICT (campaign_id) DO UPDATE SET sent = t.sent + excluded.sent;
END $$;
COMMENT ON FUNCTION send_add(text[], text[], text[], bigint[], text[], text[], text[], timestamptz[]) IS
    'Register sends of campaigns that exist; a row each in their order: whether it is new';

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
