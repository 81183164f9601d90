-- The guard: when one text makes a large share of a provider's mail fail as unknown users within an
-- hour, it is more likely an outage than so many people gone.

CREATE TABLE suppression_guard (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id bigint NOT NULL,
    provider text NOT NULL,
    hour timestamptz NOT NULL,
    signature text NOT NULL,
    failures bigint NOT NULL,
    held_at timestamptz,
    decided_at timestamptz,
    released boolean,
    UNIQUE (campaign_id, provider, hour, signature)
);
COMMENT ON TABLE suppression_guard IS 'Proven failures as unknown user by text and hour, and whether suppressions from them are held';
COMMENT ON COLUMN suppression_guard.id IS 'Number, for deciding';
COMMENT ON COLUMN suppression_guard.campaign_id IS 'Campaign';
COMMENT ON COLUMN suppression_guard.provider IS 'Provider family';
COMMENT ON COLUMN suppression_guard.hour IS 'UTC hour of receipt';
COMMENT ON COLUMN suppression_guard.signature IS 'The diagnostic text without addresses, numbers and names of messages';
COMMENT ON COLUMN suppression_guard.failures IS 'Failures that would suppress';
COMMENT ON COLUMN suppression_guard.held_at IS 'Since when its suppressions wait for a person; NULL when they do not';
COMMENT ON COLUMN suppression_guard.decided_at IS 'When a person decided; NULL before';
COMMENT ON COLUMN suppression_guard.released IS 'What was decided: true they suppress, false they were dropped';
CREATE INDEX suppression_guard_hour ON suppression_guard (hour);

ALTER TABLE suppression ADD COLUMN guard_id bigint;
COMMENT ON COLUMN suppression.guard_id IS 'suppression_guard.id of the text that suppressed; NULL for causes that are not guarded';
CREATE INDEX suppression_guard_id ON suppression (guard_id) WHERE guard_id IS NOT NULL;

CREATE TABLE suppression_guard_limit (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    failures bigint NOT NULL CHECK (failures > 0),
    share double precision NOT NULL CHECK (share > 0)
);
COMMENT ON TABLE suppression_guard_limit IS 'From where on suppressions are held';
COMMENT ON COLUMN suppression_guard_limit.one IS 'There is one row';
COMMENT ON COLUMN suppression_guard_limit.failures IS 'Fewer failures of one text in an hour are never held';
COMMENT ON COLUMN suppression_guard_limit.share IS 'Share of the mail sent to the provider that is abnormal';
INSERT INTO suppression_guard_limit (failures, share) VALUES (100, 0.2);

-- Mail of the campaign to the provider as registered; else all of it, as declared. Where neither is
-- known there is no share, and nothing is held.
CREATE FUNCTION guard_sent(campaign bigint, family text) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(
        (SELECT nullif(sum(t.sent), 0)::bigint FROM total_breakdown t
         WHERE t.campaign_id = campaign AND t.provider = family),
        (SELECT nullif(c.sent_declared, 0) FROM campaign c WHERE c.id = campaign));
COMMENT ON FUNCTION guard_sent(bigint, text) IS 'Messages of a campaign to a provider; NULL when not known';

-- What was added in the hour before the share was abnormal is held as well, so many at a time.
CREATE FUNCTION guard_hold(at timestamptz, most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    held suppression[];
BEGIN
    UPDATE suppression_guard g SET held_at = at FROM suppression_guard_limit l
        WHERE g.hour > at - interval '2 hours' AND g.held_at IS NULL AND g.decided_at IS NULL
          AND g.provider <> '' AND g.failures >= l.failures
          AND g.failures > l.share * guard_sent(g.campaign_id, g.provider);
    WITH due AS (
        SELECT s.address_hash FROM suppression_guard g
        JOIN suppression s ON s.guard_id = g.id AND NOT s.pending
        WHERE g.held_at IS NOT NULL AND g.decided_at IS NULL
        ORDER BY 1 LIMIT most FOR UPDATE OF s SKIP LOCKED
    ), changed AS (
        UPDATE suppression s SET pending = true FROM due
        WHERE s.address_hash = due.address_hash RETURNING s.*
    )
    SELECT array_agg(changed::suppression) INTO held FROM changed;
    RETURN suppression_log(2::smallint, 1::smallint, 'held', held);
END $$;
COMMENT ON FUNCTION guard_hold(timestamptz, integer) IS
    'Hold the suppressions of texts that became abnormal, at most so many; the number held';

CREATE FUNCTION guard_decide(guard bigint, release boolean) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    entries suppression[];
    n bigint;
BEGIN
    UPDATE suppression_guard SET decided_at = now(), released = release
        WHERE id = guard AND held_at IS NOT NULL AND decided_at IS NULL;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF release THEN
        WITH changed AS (
            UPDATE suppression SET pending = false WHERE guard_id = guard AND pending RETURNING *
        )
        SELECT array_agg(changed::suppression) INTO entries FROM changed;
        RETURN suppression_log(1::smallint, 2::smallint, 'released', entries);
    END IF;
    DELETE FROM suppression WHERE guard_id = guard AND pending;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
COMMENT ON FUNCTION guard_decide(bigint, boolean) IS
    'Let the held suppressions of a text take effect, or drop them; their number, NULL when none are held under this number';
