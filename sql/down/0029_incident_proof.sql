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
DROP TABLE incident_proof;
