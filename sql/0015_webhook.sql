-- Webhooks: who wants to hear of what, and the events that wait to be told. An event becomes a row an
-- endpoint in the transaction that made it happen, and the row goes when the endpoint has said 2xx: so
-- nothing is lost and nothing invented, whatever is killed when.

CREATE TABLE webhook (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url text NOT NULL,
    events integer NOT NULL CHECK (events > 0),
    secret text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    next_at timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    failures integer NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    last_at timestamptz,
    last_status smallint,
    last_error text
) WITH (fillfactor = 50);
COMMENT ON TABLE webhook IS 'Endpoints that are told of events';
COMMENT ON COLUMN webhook.id IS 'Number';
COMMENT ON COLUMN webhook.url IS 'Where events are posted';
COMMENT ON COLUMN webhook.events IS 'OR of 1 failed, 2 delayed, 4 delivered, 8 complained, 16 delay closed, 32 suppression created, 64 suppression lifted, 128 incident opened, 256 incident closed';
COMMENT ON COLUMN webhook.secret IS 'Key of the signatures, whsec_ and base64; needed in clear to sign';
COMMENT ON COLUMN webhook.created_at IS 'When it was made';
COMMENT ON COLUMN webhook.next_at IS 'Not to be tried before';
COMMENT ON COLUMN webhook.leased_until IS 'A sender is at work on it until then; NULL when none is';
COMMENT ON COLUMN webhook.failures IS 'Attempts that failed since the last that did not';
COMMENT ON COLUMN webhook.delivered IS 'Events delivered';
COMMENT ON COLUMN webhook.last_at IS 'When it was tried last';
COMMENT ON COLUMN webhook.last_status IS 'HTTP status of the last answer; NULL when there was none';
COMMENT ON COLUMN webhook.last_error IS 'Why the last attempt failed; NULL when it did not';

CREATE TABLE webhook_outbox (
    webhook_id bigint NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    event text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (webhook_id, seq)
);
COMMENT ON TABLE webhook_outbox IS 'Events that wait to be delivered';
COMMENT ON COLUMN webhook_outbox.webhook_id IS 'webhook.id';
COMMENT ON COLUMN webhook_outbox.seq IS 'Order of delivery';
COMMENT ON COLUMN webhook_outbox.at IS 'When it happened';
COMMENT ON COLUMN webhook_outbox.event IS 'Id of the event, the same for all endpoints and attempts';
COMMENT ON COLUMN webhook_outbox.body IS 'The event as JSON';

CREATE TABLE webhook_dead (
    webhook_id bigint NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    dead_at timestamptz NOT NULL DEFAULT now(),
    event text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (webhook_id, seq)
);
COMMENT ON TABLE webhook_dead IS 'Events given up after days of trying; kept for replay';
COMMENT ON COLUMN webhook_dead.webhook_id IS 'webhook.id';
COMMENT ON COLUMN webhook_dead.seq IS 'webhook_outbox.seq';
COMMENT ON COLUMN webhook_dead.at IS 'When it happened';
COMMENT ON COLUMN webhook_dead.dead_at IS 'When it was given up';
COMMENT ON COLUMN webhook_dead.event IS 'webhook_outbox.event';
COMMENT ON COLUMN webhook_dead.body IS 'webhook_outbox.body';

CREATE FUNCTION webhook_wanted(kinds integer) RETURNS boolean
    LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM webhook WHERE events & kinds <> 0) $$;
COMMENT ON FUNCTION webhook_wanted(integer) IS 'Some endpoint wants one of these events';

CREATE FUNCTION webhook_emit(kind integer, name text, event text, happened timestamptz, data json)
    RETURNS void LANGUAGE sql AS $$
    INSERT INTO webhook_outbox (webhook_id, event, body)
        SELECT w.id, webhook_emit.event, json_build_object('id', webhook_emit.event, 'type', name,
               'timestamp', to_char(happened AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               'data', data)::text
        FROM webhook w WHERE w.events & kind <> 0
$$;
COMMENT ON FUNCTION webhook_emit(integer, text, text, timestamptz, json) IS
    'Put one event into the outbox of every endpoint that wants it';

-- The writer calls it for the statuses it has just stored.
CREATE FUNCTION webhook_statuses(ids bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
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
COMMENT ON FUNCTION webhook_statuses(bigint[]) IS
    'Events of new statuses into the outbox; the number of them, 0 where nobody listens';

CREATE FUNCTION webhook_delay_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF webhook_wanted(16) THEN
        PERFORM webhook_emit(16, 'delay.closed',
            'delay_' || NEW.campaign_id || '_' || NEW.ref || '_' || NEW.state, now(),
            json_build_object('campaign', (SELECT key FROM campaign WHERE id = NEW.campaign_id
                                                                      AND id <> 0),
                'ref', NEW.ref, 'delayed_at', NEW.delayed_at,
                'outcome', CASE NEW.state WHEN 2 THEN 'handed_off' WHEN 3 THEN 'delivered'
                                          WHEN 4 THEN 'failed' ELSE 'expired' END));
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION webhook_delay_closed() IS 'Event of a delay that was closed';
CREATE TRIGGER webhook_delay_closed AFTER UPDATE ON delivery FOR EACH ROW
    WHEN (OLD.state = 1 AND OLD.delay_expired_at IS NULL
          AND (NEW.state > 1 OR NEW.delay_expired_at IS NOT NULL))
    EXECUTE FUNCTION webhook_delay_closed();

CREATE FUNCTION webhook_suppression() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF webhook_wanted(96) THEN
        PERFORM webhook_emit(CASE f.op WHEN 1 THEN 32 ELSE 64 END,
                CASE f.op WHEN 1 THEN 'suppression.created' ELSE 'suppression.lifted' END,
                'suppression_' || f.seq, f.at, json_build_object('seq', f.seq,
                'address', f.address, 'ref', f.ref, 'class', l.name, 'expires_at', f.expires_at))
            FROM (SELECT * FROM fresh ORDER BY seq) f LEFT JOIN class l ON l.id = f.class;
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION webhook_suppression() IS 'Events of changes of the suppression list';
CREATE TRIGGER webhook_suppression AFTER INSERT ON suppression_change
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION webhook_suppression();

-- An attempt failed: what has been tried for too long is given up, and the dead of a month ago go.
CREATE FUNCTION webhook_failed(hook bigint, status smallint, reason text, wait_ms bigint,
                               keep_ms bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    UPDATE webhook SET failures = failures + 1, leased_until = NULL, last_at = now(),
        last_status = status, last_error = reason,
        next_at = now() + wait_ms * interval '1 millisecond' WHERE id = hook;
    WITH old AS (
        DELETE FROM webhook_outbox WHERE webhook_id = hook
            AND at < now() - keep_ms * interval '1 millisecond' RETURNING *
    )
    INSERT INTO webhook_dead (webhook_id, seq, at, event, body)
        SELECT webhook_id, seq, at, event, body FROM old;
    GET DIAGNOSTICS n = ROW_COUNT;
    DELETE FROM webhook_dead WHERE webhook_id = hook AND dead_at < now() - interval '30 days';
    RETURN n;
END $$;
COMMENT ON FUNCTION webhook_failed(bigint, smallint, text, bigint, bigint) IS
    'Note a failed attempt; the number of events given up';

CREATE FUNCTION webhook_replay(hook bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    UPDATE webhook SET next_at = now(), failures = 0 WHERE id = hook;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    WITH dead AS (
        DELETE FROM webhook_dead WHERE webhook_id = hook RETURNING *
    )
    INSERT INTO webhook_outbox (webhook_id, event, body)
        SELECT webhook_id, event, body FROM dead ORDER BY seq;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
COMMENT ON FUNCTION webhook_replay(bigint) IS
    'Try again at once, and what was given up too; the number of those, NULL for no such endpoint';
