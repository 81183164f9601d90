-- Suppression after several failures, and its end by a confirmed delivery.

CREATE TABLE suppression_strike (
    address_hash bytea NOT NULL,
    class smallint NOT NULL,
    campaign_id bigint NOT NULL,
    ref text NOT NULL,
    at timestamptz NOT NULL,
    status_id bigint NOT NULL,
    PRIMARY KEY (address_hash, class, campaign_id, ref)
);
COMMENT ON TABLE suppression_strike IS 'Deliveries that failed in a class of which one failure does not suppress; kept as long as the longest window';
COMMENT ON COLUMN suppression_strike.address_hash IS 'suppression.address_hash';
COMMENT ON COLUMN suppression_strike.class IS 'class.id';
COMMENT ON COLUMN suppression_strike.campaign_id IS 'Campaign of the delivery: however many reports tell of it, it counts once';
COMMENT ON COLUMN suppression_strike.ref IS 'Its recipient within the campaign';
COMMENT ON COLUMN suppression_strike.at IS 'When the first report of the failure was received';
COMMENT ON COLUMN suppression_strike.status_id IS 'status.id of that record';
CREATE INDEX suppression_strike_at ON suppression_strike (at);

ALTER TABLE suppression ADD COLUMN caused_at timestamptz;
COMMENT ON COLUMN suppression.caused_at IS 'When the report that decided was received: a delivery confirmed later lifts the entry; NULL when set by hand';
