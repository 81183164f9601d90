DROP FUNCTION recipient_erase(text, bytea, bigint, text);
DROP FUNCTION erasure_texts(text, text);
DROP FUNCTION erasure_step(integer);
DROP FUNCTION erasure_reports(bigint[], bigint[], text, text, text);
DROP FUNCTION erasure_pattern(text, text);
DROP TABLE erasure;

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
