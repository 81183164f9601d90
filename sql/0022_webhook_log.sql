-- Webhooks: two secrets while one takes over from the other, endpoints that can be changed, switched off
-- and tried, messages that stay the same over all attempts, and a log of the attempts.

ALTER TABLE webhook
    ADD COLUMN old_secret text,
    ADD COLUMN old_secret_until timestamptz,
    ADD COLUMN disabled_at timestamptz,
    ADD COLUMN disabled_reason text,
    ADD COLUMN attempts bigint NOT NULL DEFAULT 0,
    ADD COLUMN batch bigint[];
COMMENT ON COLUMN webhook.old_secret IS 'The secret before; signs beside the present one until old_secret_until';
COMMENT ON COLUMN webhook.old_secret_until IS 'When the secret before ends; NULL when there is none';
COMMENT ON COLUMN webhook.disabled_at IS 'Since when it is switched off: it hears of nothing that happens meanwhile; NULL when it is on';
COMMENT ON COLUMN webhook.disabled_reason IS 'Why it is switched off';
COMMENT ON COLUMN webhook.attempts IS 'Attempts so far; webhook_delivery.attempt of the last';
COMMENT ON COLUMN webhook.batch IS 'webhook_outbox.seq of the events that make the present message, so that it is the same at every attempt; NULL before the first';

CREATE TABLE webhook_delivery (
    webhook_id bigint NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    attempt bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    message text NOT NULL,
    events text[] NOT NULL,
    octets integer NOT NULL,
    status smallint,
    duration_ms integer NOT NULL,
    error text,
    PRIMARY KEY (webhook_id, attempt)
);
COMMENT ON TABLE webhook_delivery IS 'The last 1,000 attempts of each endpoint, for 30 days';
COMMENT ON COLUMN webhook_delivery.webhook_id IS 'webhook.id';
COMMENT ON COLUMN webhook_delivery.attempt IS 'Ascends by one an endpoint';
COMMENT ON COLUMN webhook_delivery.at IS 'When it ended';
COMMENT ON COLUMN webhook_delivery.message IS 'webhook-id: the same for every attempt of the same events';
COMMENT ON COLUMN webhook_delivery.events IS 'Ids of the events';
COMMENT ON COLUMN webhook_delivery.octets IS 'Length of the body';
COMMENT ON COLUMN webhook_delivery.status IS 'HTTP status of the answer; NULL when there was none';
COMMENT ON COLUMN webhook_delivery.duration_ms IS 'How long it took, in milliseconds';
COMMENT ON COLUMN webhook_delivery.error IS 'Why it failed; NULL when the events were taken';
CREATE INDEX webhook_delivery_at ON webhook_delivery (at);

CREATE OR REPLACE FUNCTION webhook_wanted(kinds integer) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM webhook WHERE events & kinds <> 0 AND disabled_at IS NULL)
$$;

CREATE OR REPLACE FUNCTION webhook_emit(kind integer, name text, event text, happened timestamptz,
                                        data json) RETURNS void LANGUAGE sql AS $$
    INSERT INTO webhook_outbox (webhook_id, event, body)
        SELECT w.id, webhook_emit.event, json_build_object('id', webhook_emit.event, 'type', name,
               'timestamp', to_char(happened AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               'data', data)::text
        FROM webhook w WHERE w.events & kind <> 0 AND w.disabled_at IS NULL
$$;

CREATE FUNCTION webhook_batch(hook bigint, most integer, octets bigint)
    RETURNS TABLE (seq bigint, event text, body text) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE webhook w SET batch = (
        SELECT array_agg(f.seq ORDER BY f.seq) FROM (
            SELECT o.seq, sum(octet_length(o.body)) OVER by_seq AS total, row_number() OVER by_seq AS n
            FROM (SELECT p.seq, p.body FROM webhook_outbox p WHERE p.webhook_id = hook
                  ORDER BY p.seq LIMIT most) o WINDOW by_seq AS (ORDER BY o.seq)) f
        WHERE f.total <= octets OR f.n = 1)
        WHERE w.id = hook AND NOT EXISTS (SELECT FROM webhook_outbox o
                                          WHERE o.webhook_id = hook AND o.seq = ANY (w.batch));
    RETURN QUERY SELECT o.seq, o.event, o.body FROM webhook w
        JOIN webhook_outbox o ON o.webhook_id = w.id AND o.seq = ANY (w.batch)
        WHERE w.id = hook ORDER BY o.seq;
END $$;
COMMENT ON FUNCTION webhook_batch(bigint, integer, bigint) IS
    'The events of the next message: those of the last attempt while they wait, else the first ones, so many and so many octets at most';

CREATE FUNCTION webhook_note(hook bigint, message text, events text[], octets integer,
                             duration_ms integer, status smallint, reason text) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    UPDATE webhook w SET attempts = w.attempts + 1, leased_until = NULL, last_at = now(),
        last_status = webhook_note.status, last_error = reason WHERE w.id = hook
        RETURNING w.attempts INTO n;
    IF n IS NOT NULL THEN
        INSERT INTO webhook_delivery (webhook_id, attempt, message, events, octets, status,
                                      duration_ms, error)
            VALUES (hook, n, message, events, octets, status, duration_ms, reason);
        DELETE FROM webhook_delivery WHERE webhook_id = hook AND attempt <= n - 1000;
    END IF;
END $$;
COMMENT ON FUNCTION webhook_note(bigint, text, text[], integer, integer, smallint, text) IS
    'Write an attempt into the log and end the lease';

CREATE FUNCTION webhook_taken(hook bigint, seqs bigint[], message text, octets integer,
                              duration_ms integer, status smallint) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    ids text[];
BEGIN
    WITH gone AS (
        DELETE FROM webhook_outbox o WHERE o.webhook_id = hook AND o.seq = ANY (seqs)
            RETURNING o.seq, o.event
    )
    SELECT coalesce(array_agg(gone.event ORDER BY gone.seq), '{}') INTO ids FROM gone;
    PERFORM webhook_note(hook, message, ids, octets, duration_ms, status, NULL);
    UPDATE webhook SET delivered = delivered + cardinality(ids), failures = 0, next_at = now(),
        batch = nullif(batch, seqs) WHERE id = hook;
    RETURN cardinality(ids);
END $$;
COMMENT ON FUNCTION webhook_taken(bigint, bigint[], text, integer, integer, smallint) IS
    'The endpoint took these events: they go from the outbox; the number of them';

CREATE FUNCTION webhook_give_up(hook bigint, keep_ms bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    WITH old AS (
        DELETE FROM webhook_outbox WHERE webhook_id = hook
            AND at < now() - keep_ms * interval '1 millisecond' RETURNING *
    )
    INSERT INTO webhook_dead (webhook_id, seq, at, event, body)
        SELECT webhook_id, seq, at, event, body FROM old;
    GET DIAGNOSTICS n = ROW_COUNT;
    IF n > 0 THEN
        UPDATE webhook SET batch = NULL WHERE id = hook;
    END IF;
    RETURN n;
END $$;
COMMENT ON FUNCTION webhook_give_up(bigint, bigint) IS
    'Give up what has waited for too long; the number of events';

DROP FUNCTION webhook_failed(bigint, smallint, text, bigint, bigint);
CREATE FUNCTION webhook_failed(hook bigint, seqs bigint[], message text, octets integer,
                               duration_ms integer, status smallint, reason text, wait_ms bigint,
                               keep_ms bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM webhook_note(hook, message, coalesce((SELECT array_agg(o.event ORDER BY o.seq)
                                                  FROM webhook_outbox o WHERE o.webhook_id = hook
                                                    AND o.seq = ANY (seqs)), '{}'),
                         octets, duration_ms, status, reason);
    UPDATE webhook w SET failures = w.failures + 1,
        next_at = now() + wait_ms * interval '1 millisecond',
        disabled_at = CASE WHEN webhook_failed.status = 410 THEN now() ELSE w.disabled_at END,
        disabled_reason = CASE WHEN webhook_failed.status = 410 THEN 'it answered 410 Gone'
                               ELSE w.disabled_reason END WHERE w.id = hook;
    RETURN webhook_give_up(hook, keep_ms);
END $$;
COMMENT ON FUNCTION webhook_failed(bigint, bigint[], text, integer, integer, smallint, text, bigint, bigint) IS
    'Note a failed attempt; one that says 410 switches the endpoint off; the number of events given up';

CREATE FUNCTION webhook_forget(keep_ms bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    SELECT coalesce(sum(webhook_give_up(w.id, keep_ms)), 0) INTO n
        FROM webhook w WHERE w.disabled_at IS NOT NULL;
    DELETE FROM webhook_dead WHERE dead_at < now() - interval '30 days';
    DELETE FROM webhook_delivery WHERE at < now() - interval '30 days';
    UPDATE webhook SET old_secret = NULL, old_secret_until = NULL WHERE old_secret_until < now();
    RETURN n;
END $$;
COMMENT ON FUNCTION webhook_forget(bigint) IS
    'Give up what waited too long for endpoints that are off, and forget what is old; the number of events given up';

CREATE FUNCTION webhook_rotate(hook bigint, fresh text, overlap_s bigint)
    RETURNS TABLE (id bigint, old_until timestamptz) LANGUAGE sql AS $$
    UPDATE webhook w SET secret = fresh,
        old_secret = CASE WHEN overlap_s > 0 THEN w.secret END,
        old_secret_until = CASE WHEN overlap_s > 0 THEN now() + overlap_s * interval '1 second' END
        WHERE w.id = hook RETURNING w.id, w.old_secret_until
$$;
COMMENT ON FUNCTION webhook_rotate(bigint, text, bigint) IS
    'Sign with a new secret, and with the one before for some time; no row for no such endpoint';

CREATE FUNCTION webhook_try(hook bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text := 'test_' || gen_random_uuid();
    is_on boolean;
BEGIN
    UPDATE webhook SET next_at = now() WHERE id = hook RETURNING disabled_at IS NULL INTO is_on;
    IF is_on THEN
        INSERT INTO webhook_outbox (webhook_id, event, body)
            VALUES (hook, name, json_build_object('id', name, 'type', 'webhook.test', 'timestamp',
                to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'data', json_build_object('webhook_id', hook))::text);
    END IF;
    RETURN CASE WHEN is_on THEN name WHEN NOT is_on THEN '' END;
END $$;
COMMENT ON FUNCTION webhook_try(bigint) IS
    'Send an endpoint a test event, at once; the id of it, empty where the endpoint is off, NULL where there is none';
