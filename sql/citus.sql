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
