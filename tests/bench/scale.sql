-- Status records as a year of campaigns leaves them: :records of them in :campaigns campaigns over :days
-- days, and what the batch writer would have made of them. Run by scale.sh on an empty schema of a
-- throw-away cluster, one step a psql call; it ends with the reckoning that proves totals and deliveries
-- equal.
--
-- Record n has its time from its number. Of eight in a row six are failures, the seventh a delay and
-- the eighth the end of a delay some hours before, of which one in four stays without an end. A
-- campaign's reports come within days of its sending; one record in twenty is of one large campaign.
\set ON_ERROR_STOP on
SET TimeZone = 'UTC';
SET synchronous_commit = off;
SET work_mem = '768MB';
-- The sum of integers is quicker than that of bigints.
\set sums 'sum(sent::int), sum(failed::int), sum(hard::int), sum(soft::int), sum(block::int), sum(delivered::int), sum(handed_off::int), sum(delay_open::int), sum("delayed"::int), sum(complained::int), sum(statuses::int), sum(proven::int)'

SET maintenance_work_mem = '1GB';

CREATE SCHEMA scale;
CREATE TABLE scale.plan AS SELECT :records::bigint AS records, :campaigns::bigint AS campaigns,
    :days::int AS days, date_trunc('hour', now()) - :days * interval '1 day' AS begins,
    (:records / (:days * 48))::bigint AS lag8; -- eights of records in four hours

CREATE FUNCTION scale.h(n bigint, salt bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN hashint8extended(n, salt) & 1073741823;
CREATE FUNCTION scale.at(p scale.plan, n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE
    RETURN p.begins + p.days * interval '1 day' * (n::float8 / p.records);
-- The record that is the first of record n's delivery.
CREATE FUNCTION scale.first(p scale.plan, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN n % 8 = 7 AND (n / 8) % 4 <> 0 AND n > 8 * p.lag8 + 8
           THEN n - 1 - 8 * p.lag8 ELSE n END;
CREATE FUNCTION scale.campaign(p scale.plan, n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN scale.h(n, 1) % 20 = 0 THEN 1 ELSE 1 + greatest(0, (p.campaigns
           * (n::float8 / p.records - 0.09 * (scale.h(n, 2) / 1073741824.0) ^ 2)))::bigint % p.campaigns END;
CREATE FUNCTION scale.provider(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN (ARRAY['google', 'google', 'google', 'google', 'microsoft', 'microsoft', 'microsoft',
                  'yahoo', 'yahoo', 'apple', 'gmx', 'comcast', 'orange', 'mailru', 'qq', ''])
           [1 + scale.h(n, 3) % 16];
-- 1 to 14, the first of them most.
CREATE FUNCTION scale.class(n bigint) RETURNS smallint LANGUAGE sql IMMUTABLE
    RETURN 1 + (14 * (scale.h(n, 4) / 1073741824.0) ^ 2)::int % 14;
CREATE FUNCTION scale.action(n bigint) RETURNS smallint LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN n % 8 = 6 THEN 2 WHEN n % 8 = 7 AND n % 3 = 0 THEN 3 ELSE 1 END;
CREATE FUNCTION scale.address(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN 'user' || n || '@example.net';

INSERT INTO campaign (id, key, name, created_at)
    SELECT c, 'c' || c, 'Campaign ' || c, p.begins + p.days * interval '1 day' * c / p.campaigns
    FROM scale.plan p, generate_series(1, :campaigns) c;
SELECT setval(pg_get_serial_sequence('campaign', 'id'), :campaigns);
SELECT partition_ensure(begins::date - 1, current_date + 7) FROM scale.plan;

-- A day at a time: a partition that is made in the transaction that fills it needs no log, and its
-- indexes are built at once.
CREATE PROCEDURE scale.day(d date) LANGUAGE plpgsql AS $$
DECLARE
    p scale.plan;
    a bigint;
    b bigint;
    child text;
    parent text;
BEGIN
    SELECT * INTO p FROM scale.plan;
    a := greatest(1, ceil(p.records * (extract(epoch FROM d::timestamptz - p.begins) / (p.days * 86400.0))));
    b := least(p.records, ceil(p.records * (extract(epoch FROM (d + 1)::timestamptz - p.begins) / (p.days * 86400.0))) - 1);
    IF b < a THEN
        RETURN;
    END IF;
    FOREACH parent IN ARRAY ARRAY['status', 'report'] LOOP
        child := parent || '_' || to_char(d, 'YYYYMMDD');
        EXECUTE format('DROP TABLE %I', child);
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE)', child, parent);
        IF parent = 'status' THEN
            EXECUTE format('INSERT INTO %I (id, campaign_id, report_id, received_at, recipient_key,'
                ' ordinal, action, class, cause, permanence, fault, evidence, smtp_code, ref,'
                ' recipient, proven_recipient, final_recipient, status, smtp_status, provider,'
                ' remote_mta, diagnostic, rule, matched, rules_version)'
                ' SELECT record_floor($1) + x.n, x.campaign, record_floor($1) + x.n / 4, scale.at($2, x.n),'
                ' (''x'' || encode(substr(sha256(x.address::bytea), 1, 8), ''hex''))::bit(64)::bigint,'
                ' x.n %% 4, x.action, CASE WHEN x.action = 3 THEN 0 ELSE x.class END, 0,'
                ' CASE x.action WHEN 1 THEN 2 ELSE 1 END, 1, 4, CASE WHEN x.action = 3 THEN 250 ELSE 550 END,'
                ' ''u-'' || x.first, x.address, x.address, x.address, ''5.1.1'', ''5.1.1'', x.provider,'
                ' ''mx.example.net'', ''smtp; 550 5.1.1 The email account that you tried to reach does not exist'','
                ' ''rule-'' || x.class, ''does not exist'', ''scale''  FROM (SELECT n, f AS first,'
                ' scale.campaign($2, f) AS campaign, scale.action(n) AS action, scale.class(n) AS class,'
                ' scale.provider(f) AS provider, scale.address(f) AS address'
                ' FROM generate_series($3, $4) n CROSS JOIN LATERAL (SELECT scale.first($2, n)) y (f)) x', child)
                USING d, p, a, b;
        ELSE
            EXECUTE format('INSERT INTO %I (id, campaign_id, received_at, journal_id, sequence,'
                ' content_hash, octets, recipients, recipients_dropped, warnings, kind, feedback,'
                ' attribution, evidence, source, tls, peer, mail_from, envelope_to, rules_version)'
                ' SELECT record_floor($1) + n / 4, scale.campaign($2, n), scale.at($2, n), 0, n / 4,'
                ' md5(n::text)::uuid, 4000, 4, 0, 0, 1, 0, 1, 4, 1, true, ''192.0.2.1'', '''','
                ' ARRAY[''r1.c.u-'' || n || ''.bbb@bounces.example.com''], ''scale'''
                ' FROM generate_series($3 + (4 - $3 %% 4) %% 4, $4, 4) n', child)
                USING d, p, a, b;
        END IF;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, child,
                       record_floor(d), record_floor(d + 1));
    END LOOP;
    COMMIT;
END $$;
SELECT format('CALL scale.day(%L)', d::date) FROM scale.plan,
    generate_series(begins::date, current_date, interval '1 day') d \gexec

-- Deliveries, each in the strongest state of its records.
BEGIN;
ALTER TABLE delivery DISABLE TRIGGER USER;
ALTER TABLE delivery DROP CONSTRAINT delivery_pkey;
DROP INDEX delivery_delay_open;
INSERT INTO delivery (campaign_id, ref, state, class, kind, provider, outcome_at, status_id, delayed_at,
                      delayed_class, delayed_provider, delay_expired_at, sent_at)
    SELECT scale.campaign(p, n), 'u-' || n, x.state, x.class, CASE WHEN x.state = 4 THEN k.kind ELSE 0 END,
        scale.provider(n), scale.at(p, m.last), record_floor((scale.at(p, m.last) AT TIME ZONE 'UTC')::date) + m.last,
        CASE WHEN n % 8 = 6 THEN scale.at(p, n) END, CASE WHEN n % 8 = 6 THEN scale.class(n) END,
        CASE WHEN n % 8 = 6 THEN scale.provider(n) END,
        CASE WHEN x.state = 1 AND scale.at(p, n) < now() - interval '5 days' THEN scale.at(p, n) + interval '5 days' END,
        date_trunc('day', p.begins + p.days * interval '1 day' * scale.campaign(p, n) / p.campaigns, 'UTC')
            + scale.h(n, 5) % 24 * interval '1 hour'
    FROM scale.plan p CROSS JOIN generate_series(1, :records) n
    CROSS JOIN LATERAL (SELECT CASE WHEN n % 8 = 6 AND ((n + 1 + 8 * p.lag8) / 8) % 4 <> 0
        AND n + 1 + 8 * p.lag8 <= p.records THEN n + 1 + 8 * p.lag8 ELSE n END) m (last)
    CROSS JOIN LATERAL (SELECT CASE scale.action(m.last) WHEN 1 THEN 4 WHEN 2 THEN 1 ELSE 3 END,
        CASE WHEN scale.action(m.last) = 3 THEN 0::smallint ELSE scale.class(m.last) END) x (state, class)
    JOIN class k ON k.id = x.class
    WHERE scale.first(p, n) = n;
ALTER TABLE delivery ADD PRIMARY KEY (campaign_id, ref);
CREATE INDEX delivery_delay_open ON delivery (delayed_at) WHERE state = 1 AND delay_expired_at IS NULL;
ALTER TABLE delivery ENABLE TRIGGER USER;
COMMIT;

-- Totals: what the writer would have added one by one.
BEGIN;
ALTER TABLE total_hour DISABLE TRIGGER USER;
ALTER TABLE total_hour DROP CONSTRAINT total_hour_pkey;
DROP INDEX total_hour_hour;
INSERT INTO total_hour
    SELECT campaign_id, hour, provider, class, :sums FROM (
        SELECT campaign_id, total_bucket(outcome_at) AS hour, provider, class, 0 AS sent,
            (state = 4)::int AS failed, (state = 4 AND kind = 1)::int AS hard,
            (state = 4 AND kind = 2)::int AS soft, (state = 4 AND kind = 3)::int AS block,
            (state = 3)::int AS delivered, 0 AS handed_off,
            (state = 1 AND delay_expired_at IS NULL)::int AS delay_open, 0 AS "delayed",
            0 AS complained, 0 AS statuses, 0 AS proven FROM delivery
        UNION ALL
        SELECT campaign_id, total_bucket(delayed_at), delayed_provider, delayed_class, 0, 0, 0, 0, 0, 0, 0, 0,
            1, 0, 0, 0 FROM delivery WHERE delayed_at IS NOT NULL
        UNION ALL
        SELECT campaign_id, total_bucket(received_at), provider, class, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1
            FROM status) x
    GROUP BY 1, 2, 3, 4;
ALTER TABLE total_hour ADD PRIMARY KEY (campaign_id, hour, provider, class);
CREATE INDEX total_hour_hour ON total_hour (hour);
ALTER TABLE total_hour ENABLE TRIGGER USER;
COMMIT;
INSERT INTO total_hour_all SELECT hour, provider, class, :sums FROM total_hour GROUP BY 1, 2, 3;
INSERT INTO total_breakdown SELECT campaign_id, provider, class, :sums FROM total_hour GROUP BY 1, 2, 3;
INSERT INTO total_campaign SELECT campaign_id, :sums FROM total_breakdown GROUP BY 1;
UPDATE total_campaign t SET first_report_at = x.least, last_report_at = x.most
    FROM (SELECT campaign_id, min(hour) AS least, max(hour) AS most FROM total_hour GROUP BY 1) x
    WHERE x.campaign_id = t.campaign_id;
UPDATE campaign c SET sent_declared = 20 * t.statuses FROM total_campaign t WHERE t.campaign_id = c.id;
INSERT INTO total_cohort
    SELECT c.campaign_id, c.hour, c.provider, c.class, :sums
    FROM delivery d CROSS JOIN LATERAL delivery_counts(d) c GROUP BY 1, 2, 3, 4;
INSERT INTO total_roll SELECT 0, campaign_id, 0, date_trunc('hour', hour, 'UTC'), '', 0, :sums
    FROM total_hour GROUP BY 2, 4;
INSERT INTO total_roll SELECT 0, -1, 0, date_trunc('hour', hour, 'UTC'), '', 0, :sums FROM total_hour_all GROUP BY 4;
INSERT INTO total_roll SELECT 0, -1, 1, date_trunc('hour', hour, 'UTC'), provider, 0, :sums
    FROM total_hour_all GROUP BY 4, 5;
INSERT INTO total_roll SELECT 0, -1, 2, date_trunc('hour', hour, 'UTC'), '', class, :sums
    FROM total_hour_all GROUP BY 4, 6;
INSERT INTO total_roll SELECT 1, -1, 3, date_trunc('hour', hour, 'UTC'), provider, class, :sums
    FROM total_cohort GROUP BY 4, 5, 6;
INSERT INTO total_roll SELECT 1, -1, 0, hour, '', 0, :sums FROM total_roll WHERE basis = 1 AND dims = 3 GROUP BY 4;
INSERT INTO total_roll SELECT 1, -1, 1, hour, provider, 0, :sums FROM total_roll
    WHERE basis = 1 AND dims = 3 GROUP BY 4, 5;
INSERT INTO total_roll SELECT 1, -1, 2, hour, '', class, :sums FROM total_roll
    WHERE basis = 1 AND dims = 3 GROUP BY 4, 6;
INSERT INTO total_roll SELECT 0, -1, 4, hour, '', 0, :sums FROM total_hour_all GROUP BY 4;
INSERT INTO total_roll SELECT 1, -1, 4, hour, '', 0, :sums FROM total_cohort GROUP BY 4;
INSERT INTO total_delay_slot
    SELECT total_bucket(delayed_at), provider, count(*) FROM delivery
    WHERE state = 1 AND delay_expired_at IS NULL AND delayed_at IS NOT NULL GROUP BY 1, 2;
INSERT INTO total_delay
    SELECT c.id, d.provider, sum((d.state = 1 AND d.delay_expired_at IS NULL)::int), sum((d.state = 2)::int),
        sum((d.state = 3)::int), sum((d.state = 4)::int), sum((d.state = 1 AND d.delay_expired_at IS NOT NULL)::int)
    FROM delivery d CROSS JOIN LATERAL (VALUES (d.campaign_id), (-1)) c (id) WHERE d.delayed_at IS NOT NULL
    GROUP BY 1, 2;

INSERT INTO suppression (address_hash, address, campaign_id, class, evidence, source, status_ids, created_at)
    SELECT sha256(scale.address(n)::bytea), scale.address(n), 1, 1, 4, 1, ARRAY[n],
        p.begins + p.days * interval '1 day' * (n::float8 / :suppressions)
    FROM scale.plan p, generate_series(1, :suppressions) n;
