-- Erasure of all there is: texts that name an address anywhere, whatever they are part of. What an
-- index finds goes at once; the other texts of reports and records are searched in steps.

CREATE TABLE erasure (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    address text NOT NULL,
    who bytea NOT NULL,
    who_ref text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    report_id bigint NOT NULL DEFAULT 0,
    status_id bigint NOT NULL DEFAULT 0,
    end_id bigint NOT NULL
);
COMMENT ON TABLE erasure IS 'Addresses for which texts are still searched; a row goes when that is done';
COMMENT ON COLUMN erasure.id IS 'Number';
COMMENT ON COLUMN erasure.address IS 'The address, which has to be known to be searched';
COMMENT ON COLUMN erasure.who IS 'suppression.address_hash of it';
COMMENT ON COLUMN erasure.who_ref IS 'Its default ref';
COMMENT ON COLUMN erasure.requested_at IS 'When';
COMMENT ON COLUMN erasure.report_id IS 'Reports up to it are done';
COMMENT ON COLUMN erasure.status_id IS 'Status records up to it are done';
COMMENT ON COLUMN erasure.end_id IS 'Rows with smaller ids are searched';

-- No word of another address, before or behind; also "local=domain", as in return paths of others.
CREATE FUNCTION erasure_pattern(address text, who_ref text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN '(?<![a-z0-9._%+-])' ||
           replace(regexp_replace(lower(address COLLATE "C"), '([^a-z0-9@])', '\\\1', 'g'), '@', '[@=]') ||
           '(?![a-z0-9_-]|\.[a-z0-9])' || CASE WHEN who_ref <> '' THEN '|' || who_ref ELSE '' END;
COMMENT ON FUNCTION erasure_pattern(text, text) IS
    'Regular expression (to be used without regard to case) for texts that name an address, or its default ref';

DROP FUNCTION recipient_erase(bytea, bigint, text);
DROP FUNCTION recipient_statuses(bytea, bigint, text);

CREATE FUNCTION erasure_reports(reports bigint[], statuses bigint[], who_ref text, nobody text,
                                pattern text)
    RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    DELETE FROM report_raw WHERE id = ANY (reports);
    UPDATE report SET subject = NULL, from_address = NULL, mail_from = NULL, envelope_to = '{}',
        envelope_parameters = NULL, smtp_envelope_id = NULL, envelope_id = NULL, message_id = NULL,
        returned_to = NULL, returned_message_id = NULL,
        helo = CASE WHEN helo ~* pattern THEN NULL ELSE helo END,
        reporting_mta = CASE WHEN reporting_mta ~* pattern THEN NULL ELSE reporting_mta END,
        rules_version = 'erased' WHERE id = ANY (reports);
    UPDATE status SET recipient = NULL, recipient_key = NULL, proven_recipient = NULL,
        final_recipient = NULL, original_recipient = NULL, diagnostic = NULL, matched = NULL,
        rules_version = 'erased', ref = CASE WHEN ref = who_ref THEN nobody ELSE ref END
        WHERE id = ANY (statuses);
    GET DIAGNOSTICS n = ROW_COUNT;
    -- Records of others in the same reports, as far as their texts name the person.
    UPDATE status SET diagnostic = NULL, matched = NULL WHERE report_id = ANY (reports)
        AND id <> ALL (coalesce(statuses, '{}')) AND concat_ws(' ', diagnostic, matched) ~* pattern;
    RETURN n;
END $$;
COMMENT ON FUNCTION erasure_reports(bigint[], bigint[], text, text, text) IS
    'Take a person out of reports and status records; the number of records';

CREATE FUNCTION erasure_step(most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    e erasure;
    pattern text;
    last_report bigint;
    last_status bigint;
    reports bigint[];
    statuses bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock(4920143, 5);
    SELECT * INTO e FROM erasure ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    pattern := erasure_pattern(e.address, e.who_ref);
    SELECT max(id) INTO last_report FROM (SELECT id FROM report
        WHERE id > e.report_id AND id < e.end_id ORDER BY id LIMIT most) r;
    SELECT max(id) INTO last_status FROM (SELECT id FROM status
        WHERE id > e.status_id AND id < e.end_id ORDER BY id LIMIT most) s;
    IF last_report IS NULL AND last_status IS NULL THEN
        DELETE FROM erasure WHERE id = e.id;
        RETURN 0;
    END IF;
    SELECT array_agg(id) INTO reports FROM report r
        WHERE id > e.report_id AND id <= last_report AND r::text ~* pattern;
    -- A record of somebody else whose texts name the person loses those and no more.
    SELECT array_agg(id) FILTER (WHERE concat_ws(' ', s.ref, s.recipient, s.proven_recipient,
               s.final_recipient, s.original_recipient) ~* pattern),
           coalesce(reports, '{}') || array_agg(report_id) INTO statuses, reports
        FROM status s WHERE id > e.status_id AND id <= last_status AND s::text ~* pattern;
    IF reports IS NOT NULL THEN
        PERFORM erasure_reports(reports, statuses, '', '', pattern);
    END IF;
    UPDATE erasure SET report_id = coalesce(last_report, erasure.report_id),
        status_id = coalesce(last_status, erasure.status_id) WHERE id = e.id;
    RETURN coalesce(array_length(statuses, 1), 0);
END $$;
COMMENT ON FUNCTION erasure_step(integer) IS
    'Search so many reports and records for the oldest address of erasure; the number of records erased, NULL where nothing is to be done';

-- What has no index on the person. Others write all the while, so this is a transaction of its own,
-- without the locks that all writers need; rows of the suppression list come last.
CREATE FUNCTION erasure_texts(address text, who_ref text) RETURNS void LANGUAGE plpgsql AS $$
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
COMMENT ON FUNCTION erasure_texts(text, text) IS
    'Erase an address from texts of all tables but report, status and log_message';

CREATE FUNCTION recipient_erase(address text, who bytea, who_key bigint, who_ref text)
    RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    pattern text := erasure_pattern(address, who_ref);
    -- Another name for the deliveries, which nothing links to the person.
    nobody text := ':' || left(encode(sha256(gen_random_uuid()::text::bytea), 'hex'), 13);
    ids bigint[];
    reports bigint[];
    mine bigint[];
    n bigint;
    touched bigint;
BEGIN
    -- No batch of dsnd reclassify writes meanwhile what it read before.
    PERFORM pg_advisory_xact_lock(4920143, 5);
    SELECT array_agg(s.id), array_agg(DISTINCT s.report_id) INTO ids, reports FROM (
        SELECT id, report_id FROM status WHERE recipient_key = who_key
        UNION SELECT id, report_id FROM status WHERE address_hash(proven_recipient) = who
            AND proven_recipient IS NOT NULL AND proven_recipient IS DISTINCT FROM recipient
        UNION SELECT s.id, s.report_id FROM campaign c
            JOIN status s ON s.campaign_id = c.id AND s.ref = who_ref
        UNION SELECT s.id, s.report_id FROM send d
            JOIN status s ON s.campaign_id = d.campaign_id AND s.ref = d.ref
            WHERE d.recipient_key = who_key
        UNION SELECT s.id, s.report_id FROM suppression p
            CROSS JOIN unnest(p.status_ids) u(id) JOIN status s ON s.id = u.id
            WHERE p.address_hash = who) s;
    touched := erasure_reports(reports, ids, who_ref, nobody, pattern);
    DELETE FROM reclassify_address WHERE address_hash = who;
    INSERT INTO erasure (address, who, who_ref, end_id)
        VALUES (recipient_erase.address, recipient_erase.who, recipient_erase.who_ref,
                1 + greatest((SELECT id FROM report ORDER BY id DESC LIMIT 1),
                             (SELECT id FROM status ORDER BY id DESC LIMIT 1), 0));
    -- Deliveries before sends: dsnd ingest holds them when it registers what was sent.
    SELECT array_agg(m.campaign_id) INTO mine FROM (
        SELECT d.campaign_id FROM campaign c
        JOIN delivery d ON d.campaign_id = c.id AND d.ref = who_ref ORDER BY 1 FOR UPDATE OF d) m;
    UPDATE send SET recipient = NULL, recipient_key = NULL, message_id = NULL, envelope_id = NULL,
        ref = CASE WHEN ref = who_ref THEN nobody ELSE ref END
        WHERE recipient_key = who_key;
    GET DIAGNOSTICS n = ROW_COUNT;
    touched := touched + n;
    UPDATE delivery d SET ref = nobody WHERE d.campaign_id = ANY (mine) AND d.ref = who_ref;
    GET DIAGNOSTICS n = ROW_COUNT;
    touched := touched + n + suppression_erase(who);
    RETURN touched;
END $$;
COMMENT ON FUNCTION recipient_erase(text, bytea, bigint, text) IS
    'Erase an address wherever an index finds it; the number of rows that named it. Other texts are left to erasure_texts and erasure_step';
