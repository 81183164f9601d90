-- Distribute the tables over the nodes of a Citus cluster, after `dsnd migrate`, before mail comes:
--
--     psql "$DSND_DATABASE_URL" -f citus.sql
--
-- What grows with mail is distributed by campaign, suppressions by the hash of the address; what is
-- small or must be in one order stays whole. A test checks that every unique key holds the column
-- by which its table is distributed, and that no table that grows is forgotten.

SELECT create_reference_table('class');
SELECT create_reference_table('campaign');
SELECT create_reference_table('suppression_policy');
SELECT create_reference_table('erasure_key');

-- Triggers cannot sum up over nodes; there the sum is taken when it is asked for, on all nodes at once.
DROP TRIGGER total_hour_all_add ON total_hour;
DROP TRIGGER total_hour_all_change ON total_hour;
DROP TRIGGER total_hour_all_drop ON total_hour;
DROP TABLE total_hour_all;
CREATE VIEW total_hour_all AS
    SELECT hour, provider, class, sum(sent) AS sent, sum(failed) AS failed, sum(hard) AS hard,
           sum(soft) AS soft, sum(block) AS block, sum(delivered) AS delivered,
           sum(handed_off) AS handed_off, sum(delay_open) AS delay_open,
           sum("delayed") AS "delayed", sum(complained) AS complained, sum(statuses) AS statuses,
           sum(proven) AS proven
    FROM total_hour GROUP BY hour, provider, class;

-- The same with what is counted by the time of sending.
DROP TRIGGER total_hour_lock ON total_hour;
DROP TRIGGER delivery_total_add ON delivery;
DROP TRIGGER delivery_total_change ON delivery;
DROP TRIGGER delivery_total_drop ON delivery;
DROP TABLE total_cohort, total_roll, total_delay, total_delay_slot;
CREATE OR REPLACE FUNCTION total_cohort_add(delta total_hour[]) RETURNS void LANGUAGE sql
    AS $$ SELECT $$;
CREATE VIEW total_cohort AS
    SELECT x.campaign_id, x.hour, x.provider, x.class,
           sum(x.sent) AS sent, sum(x.failed) AS failed, sum(x.hard) AS hard, sum(x.soft) AS soft,
           sum(x.block) AS block, sum(x.delivered) AS delivered, sum(x.handed_off) AS handed_off, sum(x.delay_open) AS delay_open,
           sum(x."delayed") AS "delayed", sum(x.complained) AS complained, sum(x.statuses) AS statuses, sum(x.proven) AS proven
    FROM (SELECT c.* FROM delivery d CROSS JOIN LATERAL delivery_counts(d) c
          UNION ALL
          SELECT s.campaign_id, total_bucket(s.sent_at), s.provider, 0::smallint, 1,
                 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM send s) x
    GROUP BY 1, 2, 3, 4;
CREATE VIEW total_roll AS
    SELECT 0 AS basis, r.campaign_id, r.dims,
           CASE WHEN r.dims = 4 THEN x.hour ELSE date_trunc('hour', x.hour, 'UTC') END AS hour,
           r.provider, r.class,
           sum(x.sent) AS sent, sum(x.failed) AS failed, sum(x.hard) AS hard, sum(x.soft) AS soft,
           sum(x.block) AS block, sum(x.delivered) AS delivered, sum(x.handed_off) AS handed_off, sum(x.delay_open) AS delay_open,
           sum(x."delayed") AS "delayed", sum(x.complained) AS complained, sum(x.statuses) AS statuses, sum(x.proven) AS proven
    FROM total_hour x CROSS JOIN LATERAL (VALUES (x.campaign_id, 0, '', 0), (-1, 0, '', 0),
        (-1, 1, x.provider, 0), (-1, 2, '', x.class), (-1, 4, '', 0)) r (campaign_id, dims, provider, class)
    GROUP BY 2, 3, 4, 5, 6
    UNION ALL
    SELECT 1, -1, r.dims,
           CASE WHEN r.dims = 4 THEN x.hour ELSE date_trunc('hour', x.hour, 'UTC') END, r.provider, r.class,
           sum(x.sent) AS sent, sum(x.failed) AS failed, sum(x.hard) AS hard, sum(x.soft) AS soft,
           sum(x.block) AS block, sum(x.delivered) AS delivered, sum(x.handed_off) AS handed_off, sum(x.delay_open) AS delay_open,
           sum(x."delayed") AS "delayed", sum(x.complained) AS complained, sum(x.statuses) AS statuses, sum(x.proven) AS proven
    FROM total_cohort x CROSS JOIN LATERAL (VALUES (0, '', 0), (1, x.provider, 0),
        (2, '', x.class), (3, x.provider, x.class), (4, '', 0)) r (dims, provider, class)
    GROUP BY 3, 4, 5, 6;
CREATE VIEW total_delay AS
    SELECT c.id AS campaign_id, d.provider,
           count(*) FILTER (WHERE d.state = 1 AND d.delay_expired_at IS NULL) AS open,
           count(*) FILTER (WHERE d.state = 2) AS handed_off,
           count(*) FILTER (WHERE d.state = 3) AS delivered,
           count(*) FILTER (WHERE d.state = 4) AS failed,
           count(*) FILTER (WHERE d.state = 1 AND d.delay_expired_at IS NOT NULL) AS expired
    FROM delivery d CROSS JOIN LATERAL (VALUES (d.campaign_id), (-1)) c (id)
    WHERE d.delayed_at IS NOT NULL GROUP BY 1, 2;
CREATE VIEW total_delay_slot AS
    SELECT total_bucket(delayed_at) AS slot, provider, count(*) AS open FROM delivery
    WHERE state = 1 AND delay_expired_at IS NULL AND delayed_at IS NOT NULL GROUP BY 1, 2;

-- What webhooks tell comes from the batches there; triggers on distributed rows are not to be had.
DROP TRIGGER webhook_delay_closed ON delivery;

SELECT create_distributed_table('send', 'campaign_id');
SELECT create_distributed_table('delivery', 'campaign_id', colocate_with => 'send');
SELECT create_distributed_table('report', 'campaign_id', colocate_with => 'send');
SELECT create_distributed_table('report_raw', 'campaign_id', colocate_with => 'send');
SELECT create_distributed_table('status', 'campaign_id', colocate_with => 'send');
SELECT create_distributed_table('total_campaign', 'campaign_id', colocate_with => 'send');
SELECT create_distributed_table('total_breakdown', 'campaign_id', colocate_with => 'send');
SELECT create_distributed_table('total_hour', 'campaign_id', colocate_with => 'send');
SELECT create_distributed_table('rule_hit', 'campaign_id', colocate_with => 'send');

SELECT create_distributed_table('suppression', 'address_hash');
SELECT create_distributed_table('suppression_strike', 'address_hash', colocate_with => 'suppression');
SELECT create_distributed_table('reclassify_address', 'address_hash', colocate_with => 'suppression');
SELECT create_distributed_table('suppression_again', 'address_hash', colocate_with => 'suppression');
SELECT create_distributed_table('suppression_probation', 'address_hash', colocate_with => 'suppression');
SELECT create_distributed_table('suppression_aside', 'address_hash', colocate_with => 'suppression');

SELECT create_distributed_table('report_seen', 'hash');
