DROP TRIGGER webhook_delay_late_closed ON delivery;
DROP TRIGGER webhook_delay_begun_closed ON delivery;
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
            ON k.kind IS NOT NULL;
    RETURN n;
END $$;
