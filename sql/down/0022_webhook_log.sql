DROP FUNCTION webhook_try(bigint);
DROP FUNCTION webhook_rotate(bigint, text, bigint);
DROP FUNCTION webhook_forget(bigint);
DROP FUNCTION webhook_failed(bigint, bigint[], text, integer, integer, smallint, text, bigint, bigint);
DROP FUNCTION webhook_give_up(bigint, bigint);
DROP FUNCTION webhook_taken(bigint, bigint[], text, integer, integer, smallint);
DROP FUNCTION webhook_note(bigint, text, text[], integer, integer, smallint, text);
DROP FUNCTION webhook_batch(bigint, integer, bigint);
CREATE OR REPLACE FUNCTION webhook_wanted(kinds integer) RETURNS boolean
    LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM webhook WHERE events & kinds <> 0) $$;
CREATE OR REPLACE FUNCTION webhook_emit(kind integer, name text, event text, happened timestamptz,
                                        data json) RETURNS void LANGUAGE sql AS $$
    INSERT INTO webhook_outbox (webhook_id, event, body)
        SELECT w.id, webhook_emit.event, json_build_object('id', webhook_emit.event, 'type', name,
               'timestamp', to_char(happened AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               'data', data)::text
        FROM webhook w WHERE w.events & kind <> 0
$$;
DROP TABLE webhook_delivery;
ALTER TABLE webhook DROP COLUMN old_secret, DROP COLUMN old_secret_until, DROP COLUMN disabled_at,
    DROP COLUMN disabled_reason, DROP COLUMN attempts, DROP COLUMN batch;
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
