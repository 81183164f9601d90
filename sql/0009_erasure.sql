-- Erasure of a person: everything that names the address goes, counts stay, and so does the
-- suppression, under a hash that nobody can find by trying addresses.

CREATE TABLE erasure_key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    key bytea NOT NULL
);
COMMENT ON TABLE erasure_key IS 'The key under which suppressions of erased addresses are kept';
COMMENT ON COLUMN erasure_key.one IS 'There is one row';
COMMENT ON COLUMN erasure_key.key IS 'Random; without it the hash of an erased address cannot be computed';
INSERT INTO erasure_key (key)
    VALUES (sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea));

CREATE FUNCTION erased_hash(address_hash bytea) RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (SELECT sha256(k.key || sha256(k.key || address_hash)) FROM erasure_key k);
COMMENT ON FUNCTION erased_hash(bytea) IS
    'suppression.address_hash of an address after its erasure';

-- The records of one person; by the address, by its default ref, and those behind a suppression.
CREATE FUNCTION recipient_statuses(who bytea, who_key bigint, who_ref text)
    RETURNS TABLE (id bigint, report_id bigint) LANGUAGE sql STABLE AS $$
    SELECT s.id, s.report_id FROM status s WHERE s.recipient_key = who_key
    UNION SELECT s.id, s.report_id FROM campaign c
        JOIN delivery d ON d.campaign_id = c.id AND d.ref = who_ref
        JOIN status s ON s.id = d.status_id AND s.campaign_id = d.campaign_id
    UNION SELECT s.id, s.report_id FROM suppression p
        CROSS JOIN unnest(p.status_ids) u(id) JOIN status s ON s.id = u.id
        WHERE p.address_hash = who
$$;
COMMENT ON FUNCTION recipient_statuses(bytea, bigint, text) IS 'Records that name an address';

CREATE FUNCTION suppression_erase(who bytea) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone suppression[];
    entry suppression;
BEGIN
    DELETE FROM suppression_strike WHERE address_hash = who;
    DELETE FROM suppression WHERE address_hash = who RETURNING * INTO entry;
    UPDATE suppression_change SET address = NULL, note = NULL, status_ids = '{}',
        address_hash = erased_hash(who) WHERE address_hash = who;
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

CREATE FUNCTION recipient_erase(who bytea, who_key bigint, who_ref text) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    -- Another name for the deliveries, which nothing links to the person.
    nobody text := ':' || left(encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 13);
    ids bigint[];
    reports bigint[];
    n bigint;
    touched bigint;
BEGIN
    SELECT array_agg(id), array_agg(DISTINCT report_id) INTO ids, reports
        FROM recipient_statuses(who, who_key, who_ref);
    DELETE FROM report_raw WHERE id = ANY (reports);
    UPDATE report SET subject = NULL, from_address = NULL, mail_from = NULL, envelope_to = '{}',
        smtp_envelope_id = NULL, envelope_id = NULL, message_id = NULL, returned_to = NULL,
        returned_message_id = NULL WHERE id = ANY (reports);
    UPDATE status SET recipient = NULL, recipient_key = NULL, proven_recipient = NULL,
        final_recipient = NULL, original_recipient = NULL, diagnostic = NULL, matched = NULL,
        ref = CASE WHEN ref = who_ref THEN nobody ELSE ref END WHERE id = ANY (ids);
    GET DIAGNOSTICS touched = ROW_COUNT;
    UPDATE send SET recipient = NULL, recipient_key = NULL, message_id = NULL, envelope_id = NULL,
        ref = CASE WHEN ref = who_ref THEN nobody ELSE ref END WHERE recipient_key = who_key;
    GET DIAGNOSTICS n = ROW_COUNT;
    touched := touched + n;
    WITH mine AS (
        SELECT d.campaign_id FROM campaign c
        JOIN delivery d ON d.campaign_id = c.id AND d.ref = who_ref ORDER BY 1 FOR UPDATE OF d
    )
    UPDATE delivery d SET ref = nobody FROM mine
        WHERE d.campaign_id = mine.campaign_id AND d.ref = who_ref;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN touched + n + suppression_erase(who);
END $$;
COMMENT ON FUNCTION recipient_erase(bytea, bigint, text) IS
    'Erase an address from all tables but quarantine; the number of rows that named it';
