CREATE OR REPLACE FUNCTION erasure_texts(address text, who_ref text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    pattern text := erasure_pattern(address, who_ref);
BEGIN
    DELETE FROM webhook_outbox WHERE body ~* pattern;
    DELETE FROM webhook_dead WHERE body ~* pattern;
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
CREATE OR REPLACE FUNCTION suppression_erase(who bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone suppression[];
    entry suppression;
BEGIN
    DELETE FROM suppression_strike WHERE address_hash = who;
    DELETE FROM suppression_probation WHERE address_hash = who;
    DELETE FROM suppression WHERE address_hash = who RETURNING * INTO entry;
    UPDATE suppression_change SET address = NULL, note = NULL, status_ids = '{}',
        address_hash = erased_hash(who) WHERE address_hash = who;
    UPDATE suppression_aside SET status_ids = '{}', address_hash = erased_hash(who)
        WHERE address_hash = who;
    IF entry.address_hash IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO suppression AS s (address_hash, class, evidence, source, pending, created_at,
                                  expires_at, caused_at)
        VALUES (erased_hash(who), entry.class, entry.evidence, entry.source, entry.pending,
                entry.created_at, entry.expires_at, entry.caused_at)
        ON CONFLICT (address_hash) DO UPDATE SET expires_at = excluded.expires_at;
    entry.address := NULL;
    entry.status_ids := '{}';
    gone := ARRAY[entry];
    RETURN suppression_log(4::smallint, 2::smallint, NULL, gone);
END $$;
COMMENT ON FUNCTION suppression_erase(bytea) IS
    'Put the keyed hash in the place of an address; the change keeps the plain hash, for those who mirror the list must find their entry';
DROP INDEX suppression_change_hash_until;
ALTER TABLE suppression_change DROP COLUMN hash_until;
