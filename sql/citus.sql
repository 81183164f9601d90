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

SELECT create_distributed_table('report_seen', 'hash');
