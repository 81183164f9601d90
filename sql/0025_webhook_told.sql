-- Webhooks tell what happened: feedback that is no complaint is not told as one, and a delay that ends
-- with the lines that tell of it, or is told of after its end, is closed as any other.

-- As before, without feedback that says "not spam" or is no wish of a person (RFC 5965 section 7.3):
-- 3 virus, 5 not-spam, 6 auth-failure.
CREATE OR REPLACE FUNCTION webhook_statuses(ids bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    IF NOT webhook_wanted(15) THEN
        RETURN 0;
    END IF;
    SELECT count(webhook_emit(k.kind, k.name, 'status_' || s.id, s.received_at, json_build_object(
               'status_id', s.id::text, 'report_id', s.report_id::text, 'campaign', c.key,
               'ref', s.ref, 'recipient', s.recipient, 'class', l.name, 'status', s.status,
               'smtp_code', s.smtp_code, 'provider', nullif(s.provider, ''),
               'diagnostic', s.diagnostic, 'proven', s.evidence > 0))::text)
        INTO n
        FROM (SELECT * FROM status WHERE id = ANY (ids) ORDER BY id) s
        LEFT JOIN campaign c ON c.id = s.campaign_id AND c.id <> 0
        LEFT JOIN class l ON l.id = s.class
        JOIN LATERAL (SELECT CASE WHEN s.class = 15 THEN 8 WHEN s.action = 1 THEN 1
                          WHEN s.action = 2 THEN 2 WHEN s.action = 3 THEN 4 END AS kind,
                      CASE WHEN s.class = 15 THEN 'delivery.complained'
                          WHEN s.action = 1 THEN 'delivery.failed'
                          WHEN s.action = 2 THEN 'delivery.delayed'
                          WHEN s.action = 3 THEN 'delivery.delivered' END AS name) k
            ON k.kind IS NOT NULL
        WHERE s.class IS DISTINCT FROM 15 OR NOT EXISTS (
            SELECT FROM report r WHERE r.id = s.report_id AND r.feedback IN (3, 5, 6));
    RETURN n;
END $$;

-- A row that begins in its last state, and a delay told of after the end.
CREATE TRIGGER webhook_delay_begun_closed AFTER INSERT ON delivery FOR EACH ROW
    WHEN (NEW.delayed_at IS NOT NULL AND (NEW.state > 1 OR NEW.delay_expired_at IS NOT NULL))
    EXECUTE FUNCTION webhook_delay_closed();
CREATE TRIGGER webhook_delay_late_closed AFTER UPDATE ON delivery FOR EACH ROW
    WHEN (OLD.delayed_at IS NULL AND NEW.delayed_at IS NOT NULL AND OLD.state <> 1
          AND (NEW.state > 1 OR NEW.delay_expired_at IS NOT NULL))
    EXECUTE FUNCTION webhook_delay_closed();
