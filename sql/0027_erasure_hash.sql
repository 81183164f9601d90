-- The hash of an erased address in the feed, by which mirrors find their entry, ends after 30 days: who
-- guesses the address can compute it. The log of attempts of webhooks names nobody who was erased.

ALTER TABLE suppression_change ADD COLUMN hash_until timestamptz;
COMMENT ON COLUMN suppression_change.hash_until IS 'Of an erasure: when erased_hash takes the place of address_hash; NULL once it has, and of other changes';
CREATE INDEX suppression_change_hash_until ON suppression_change (hash_until)
    WHERE hash_until IS NOT NULL;
-- But for those that a second erasure of the address has changed already.
UPDATE suppression_change c SET hash_until = c.at + interval '30 days'
    WHERE c.op = 4 AND NOT EXISTS (SELECT FROM suppression s WHERE s.address_hash = c.address_hash);

-- As before, with the end of the hash.
CREATE OR REPLACE FUNCTION suppression_erase(who bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone suppression[];
    entry suppression;
    n bigint;
BEGIN
    DELETE FROM suppression_strike WHERE address_hash = who;
    DELETE FROM suppression_probation WHERE address_hash = who;
    DELETE FROM suppression WHERE address_hash = who RETURNING * INTO entry;
    UPDATE suppression_change SET address = NULL, note = NULL, status_ids = '{}',
        address_hash = erased_hash(who) WHERE address_hash = who AND hash_until IS NULL;
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
    n := suppression_log(4::smallint, 2::smallint, NULL, gone);
    UPDATE suppression_change SET hash_until = now() + interval '30 days'
        WHERE seq = (SELECT c.seq FROM suppression_clock c);
    RETURN n;
END $$;
COMMENT ON FUNCTION suppression_erase(bytea) IS
    'Put the keyed hash in the place of an address; the change keeps the plain hash for 30 days, for those who mirror the list must find their entry';

-- As before, with the log of attempts.
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
