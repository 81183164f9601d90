-- To which provider a send went is known by the domain of its address, or better by the host that took
-- it. Where a log tells of a first try that reached no host, and later of one that did, the send is
-- filed anew: else what is sent to a provider and what becomes of it would not be of the same mail.
CREATE FUNCTION send_place(campaign_ids bigint[], refs text[], providers text[]) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    moved send[];
BEGIN
    WITH told AS (
        SELECT DISTINCT ON (n.campaign_id, n.ref) n.campaign_id, n.ref, n.provider
        FROM unnest(campaign_ids, refs, providers) WITH ORDINALITY
            AS n (campaign_id, ref, provider, ord)
        WHERE n.provider <> '' ORDER BY n.campaign_id, n.ref, n.ord
    ), changed AS (
        UPDATE send s SET provider = told.provider FROM told
        WHERE s.campaign_id = told.campaign_id AND s.ref = told.ref AND s.provider = ''
        RETURNING s.*
    )
    SELECT array_agg(changed::send) INTO moved FROM changed;
    IF moved IS NULL THEN
        RETURN;
    END IF;
    PERFORM total_lock();
    PERFORM total_cohort_add(array_agg(ROW(x.*)::total_hour)) FROM (
        SELECT m.campaign_id, total_bucket(m.sent_at), p.provider, 0::smallint, sum(p.n)::bigint,
            0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint,
            0::bigint, 0::bigint, 0::bigint, 0::bigint
        FROM unnest(moved) m CROSS JOIN LATERAL (VALUES (m.provider, 1), ('', -1)) p (provider, n)
        GROUP BY 1, 2, 3) x;
    INSERT INTO total_hour AS t (campaign_id, hour, provider, class, sent)
        SELECT m.campaign_id, total_bucket(m.sent_at), p.provider, 0, sum(p.n)
        FROM unnest(moved) m CROSS JOIN LATERAL (VALUES (m.provider, 1), ('', -1)) p (provider, n)
        GROUP BY 1, 2, 3
        ON CONFLICT (campaign_id, hour, provider, class) DO UPDATE SET sent = t.sent + excluded.sent;
    INSERT INTO total_breakdown AS t (campaign_id, provider, class, sent)
        SELECT m.campaign_id, p.provider, 0, sum(p.n)
        FROM unnest(moved) m CROSS JOIN LATERAL (VALUES (m.provider, 1), ('', -1)) p (provider, n)
        GROUP BY 1, 2
        ON CONFLICT (campaign_id, provider, class) DO UPDATE SET sent = t.sent + excluded.sent;
END $$;
COMMENT ON FUNCTION send_place(bigint[], text[], text[]) IS
    'Sends of a provider not known so far are filed under the one told now; the campaigns are locked';
COMMENT ON COLUMN send.provider IS 'Provider family of the host that took it, where a log told it, else of the recipient''s domain; empty when unknown';
