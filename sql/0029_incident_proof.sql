-- How many deliveries prove a run that is no incident yet: whoever holds the path of his own mail may
-- send as many reports of it as he likes, and proves one delivery.

CREATE TABLE incident_proof (
    incident_id bigint NOT NULL,
    campaign_id bigint NOT NULL,
    ref text NOT NULL,
    slot timestamptz NOT NULL,
    PRIMARY KEY (incident_id, campaign_id, ref),
    FOREIGN KEY (incident_id, slot) REFERENCES incident_slot ON DELETE CASCADE
);
COMMENT ON TABLE incident_proof IS 'Deliveries of which proven records of a run came that is no incident yet';
COMMENT ON COLUMN incident_proof.incident_id IS 'incident.id';
COMMENT ON COLUMN incident_proof.campaign_id IS 'Campaign of the delivery';
COMMENT ON COLUMN incident_proof.ref IS 'Its recipient within the campaign';
COMMENT ON COLUMN incident_proof.slot IS 'When the first of them came: incident_slot.slot';
COMMENT ON COLUMN incident.proven IS 'Deliveries of proven records until it was seen to be an incident, and proven records since';
COMMENT ON COLUMN incident_slot.proven IS 'Deliveries whose first proven record was among them';
COMMENT ON COLUMN incident_limit.proven IS 'Of how many deliveries records must be proven, or strangers could open it; NULL as many as records, 0 for who signs nothing';

-- As before, with these.
CREATE OR REPLACE FUNCTION erasure_texts(address text, who_ref text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    pattern text := erasure_pattern(address, who_ref);
BEGIN
    DELETE FROM webhook_outbox WHERE body ~* pattern;
    DELETE FROM webhook_dead WHERE body ~* pattern;
    UPDATE webhook_delivery d SET events = (
            SELECT array_agg(CASE WHEN e.id ~* pattern THEN 'erased' ELSE e.id END ORDER BY e.n)
            FROM unnest(d.events) WITH ORDINALITY e (id, n))
        WHERE array_to_string(d.events, ' ') ~* pattern;
    UPDATE webhook SET last_error = NULL WHERE last_error ~* pattern;
    DELETE FROM incident_proof WHERE ref = who_ref;
    DELETE FROM idempotency WHERE encode(body, 'escape') ~* pattern OR key ~* pattern;
    DELETE FROM quarantine q WHERE concat_ws(' ', q.error, q.peer, q.helo, q.mail_from,
        array_to_string(q.envelope_to, ' '), q.smtp_envelope_id) ~* pattern;
    DELETE FROM receipt WHERE recipient ~* pattern OR encode(message, 'escape') ~* pattern
        OR last_error ~* pattern;
    UPDATE suppression_change SET note = NULL WHERE note ~* pattern;
    WITH due AS (
        SELECT s.address_hash FROM suppression s WHERE s.note ~* pattern ORDER BY 1 FOR UPDATE
    )
    UPDATE suppression s SET note = NULL FROM due WHERE s.address_hash = due.address_hash;
END $$;
