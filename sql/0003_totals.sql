-- Counts, maintained by the transaction that changes the deliveries they count: never by scanning.
--
-- The same columns in three tables, and the same increments, so that the rows of total_hour and of
-- total_breakdown of a campaign always sum up to its row in total_campaign. A delivery counts as
-- failed, delivered, handed_off or delay_open in the hour, provider and class of the record that
-- decided its state; as delayed and complained in those of its first such record.
CREATE TABLE total_campaign (
    campaign_id bigint PRIMARY KEY,
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
    first_report_at timestamptz,
    last_report_at timestamptz
) WITH (fillfactor = 50);

CREATE TABLE total_breakdown (
    campaign_id bigint NOT NULL,
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
    PRIMARY KEY (campaign_id, provider, class)
) WITH (fillfactor = 50);

CREATE TABLE total_hour (
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
-- Series over all campaigns.
CREATE INDEX total_hour_hour ON total_hour (hour);

COMMENT ON TABLE total_campaign IS 'Counts of each campaign';
COMMENT ON TABLE total_breakdown IS 'Counts of each campaign by provider and class';
COMMENT ON TABLE total_hour IS 'Counts of each campaign by hour, provider and class: the series of dashboards';
COMMENT ON COLUMN total_campaign.first_report_at IS 'When the first report of it arrived';
COMMENT ON COLUMN total_campaign.last_report_at IS 'When the last report of it arrived';
COMMENT ON COLUMN total_breakdown.provider IS 'Provider family; empty when unknown';
COMMENT ON COLUMN total_breakdown.class IS 'class.id';
COMMENT ON COLUMN total_hour.hour IS 'UTC hour in which it began to be counted so';
COMMENT ON COLUMN total_hour.provider IS 'Provider family; empty when unknown';
COMMENT ON COLUMN total_hour.class IS 'class.id';
DO $$
DECLARE
    t text;
    c text[];
BEGIN
    FOREACH t IN ARRAY ARRAY['total_campaign', 'total_breakdown', 'total_hour'] LOOP
        FOREACH c SLICE 1 IN ARRAY ARRAY[
            ['campaign_id', 'Campaign; 0 unattributed'],
            ['sent', 'Messages registered as sent, in the hour they were sent'],
            ['failed', 'Deliveries that failed; hard + soft + block'],
            ['hard', 'Failed for a lasting fault of the recipient'],
            ['soft', 'Failed for a passing or technical fault'],
            ['block', 'Failed because sender or content was refused'],
            ['delivered', 'Deliveries confirmed as delivered'],
            ['handed_off', 'Deliveries relayed or expanded'],
            ['delay_open', 'Deliveries delayed now'],
            ['delayed', 'Deliveries with at least one delayed record, closed or not'],
            ['complained', 'Deliveries with a complaint'],
            ['statuses', 'Status records received, duplicates not counted'],
            ['proven', 'Those of them with evidence other than none']] LOOP
            EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', t, c[1], c[2]);
        END LOOP;
    END LOOP;
END $$;
