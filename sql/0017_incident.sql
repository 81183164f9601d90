-- Incidents: one cause on the sender's side (reputation, authentication, content) that makes a provider
-- refuse mail. Records of the same provider, sending address, class and text are one run until no more
-- come for a while; a run that becomes dense is an incident, opened and closed by maintenance.

CREATE TABLE incident_limit (
    class smallint PRIMARY KEY,
    records bigint NOT NULL CHECK (records > 0),
    window_s integer NOT NULL CHECK (window_s BETWEEN 600 AND 604800),
    quiet_s integer NOT NULL CHECK (quiet_s >= 600),
    proven bigint CHECK (proven >= 0)
);
COMMENT ON TABLE incident_limit IS 'From where on records of a class are an incident, and when it is over';
COMMENT ON COLUMN incident_limit.class IS 'class.id; a class without a row makes no incidents';
COMMENT ON COLUMN incident_limit.records IS 'So many records within the window open it';
COMMENT ON COLUMN incident_limit.window_s IS 'Seconds, counted in steps of ten minutes';
COMMENT ON COLUMN incident_limit.quiet_s IS 'Seconds without a record that end it';
COMMENT ON COLUMN incident_limit.proven IS 'How many of them must be proven, or strangers could open it; NULL all, 0 for who signs nothing';
INSERT INTO incident_limit (class, records, window_s, quiet_s) VALUES
    (10, 20, 3600, 21600),
    (11, 20, 3600, 21600),
    (12, 20, 3600, 21600);

-- fillfactor: the rows of what goes on are changed by every batch.
CREATE TABLE incident (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bigint NOT NULL,
    class smallint NOT NULL,
    provider text NOT NULL,
    sender text NOT NULL,
    signature text NOT NULL,
    started_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    opened_at timestamptz,
    closed_at timestamptz,
    records bigint NOT NULL,
    proven bigint NOT NULL,
    status_id bigint NOT NULL,
    sample text,
    rule text,
    blocklist text
) WITH (fillfactor = 50);
COMMENT ON TABLE incident IS 'Runs of records of one sender-side cause; those that were opened are incidents';
COMMENT ON COLUMN incident.id IS 'Number';
COMMENT ON COLUMN incident.key IS 'First 8 octets of SHA-256 over provider, sender, class and signature; status.incident_key';
COMMENT ON COLUMN incident.class IS 'class.id; of expired mail its cause';
COMMENT ON COLUMN incident.provider IS 'Provider family; empty when unknown';
COMMENT ON COLUMN incident.sender IS 'The address of ours that the text names, else the reporting MTA; empty when neither is known';
COMMENT ON COLUMN incident.signature IS 'The diagnostic text without addresses, numbers and names of messages';
COMMENT ON COLUMN incident.started_at IS 'Receipt of the first record';
COMMENT ON COLUMN incident.last_at IS 'Receipt of the last record';
COMMENT ON COLUMN incident.opened_at IS 'When it was seen to be one; NULL before, and then nobody is told of it';
COMMENT ON COLUMN incident.closed_at IS 'When it was seen to be over; NULL before';
COMMENT ON COLUMN incident.records IS 'Records of failures and delays';
COMMENT ON COLUMN incident.proven IS 'Those of them with evidence other than none';
COMMENT ON COLUMN incident.status_id IS 'status.id of a record of it';
COMMENT ON COLUMN incident.sample IS 'Its diagnostic text with mail addresses left out';
COMMENT ON COLUMN incident.rule IS 'Id of the rule that decided its class';
COMMENT ON COLUMN incident.blocklist IS 'Blocklist that a text named';
CREATE UNIQUE INDEX incident_live ON incident (key) WHERE closed_at IS NULL;
CREATE INDEX incident_listed ON incident (id) WHERE opened_at IS NOT NULL;
CREATE INDEX incident_open ON incident (id) WHERE opened_at IS NOT NULL AND closed_at IS NULL;
CREATE INDEX incident_closed ON incident (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX incident_provider ON incident (provider, id) WHERE opened_at IS NOT NULL;
CREATE INDEX incident_class ON incident (class, id) WHERE opened_at IS NOT NULL;

CREATE TABLE incident_campaign (
    incident_id bigint NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    campaign_id bigint NOT NULL,
    records bigint NOT NULL,
    PRIMARY KEY (incident_id, campaign_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE incident_campaign IS 'Campaigns that an incident hit';
COMMENT ON COLUMN incident_campaign.incident_id IS 'incident.id';
COMMENT ON COLUMN incident_campaign.campaign_id IS 'Campaign; 0 unattributed';
COMMENT ON COLUMN incident_campaign.records IS 'Records of it; they add up to incident.records';

CREATE TABLE incident_slot (
    incident_id bigint NOT NULL REFERENCES incident (id) ON DELETE CASCADE,
    slot timestamptz NOT NULL,
    records bigint NOT NULL,
    proven bigint NOT NULL,
    PRIMARY KEY (incident_id, slot)
) WITH (fillfactor = 50);
COMMENT ON TABLE incident_slot IS 'When the records of a run that is no incident yet came';
COMMENT ON COLUMN incident_slot.incident_id IS 'incident.id';
COMMENT ON COLUMN incident_slot.slot IS 'Ten minutes of receipt, by their beginning';
COMMENT ON COLUMN incident_slot.records IS 'Records received in them';
COMMENT ON COLUMN incident_slot.proven IS 'Those of them with evidence other than none';
CREATE INDEX incident_slot_time ON incident_slot (slot);

ALTER TABLE status ADD COLUMN incident_key bigint;
COMMENT ON COLUMN status.incident_key IS 'incident.key of what it may be part of; NULL where the class makes no incidents';
CREATE INDEX status_incident ON status (incident_key, id) WHERE incident_key IS NOT NULL;

CREATE FUNCTION incident_tell(kind integer, name text, i incident) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF webhook_wanted(kind) THEN
        PERFORM webhook_emit(kind, name, 'incident_' || i.id || '_' || split_part(name, '.', 2),
            coalesce(i.closed_at, i.opened_at), json_build_object('incident_id', i.id,
                'provider', nullif(i.provider, ''), 'sender', nullif(i.sender, ''),
                'class', (SELECT l.name FROM class l WHERE l.id = i.class),
                'signature', i.signature, 'blocklist', i.blocklist, 'rule', i.rule,
                'sample', i.sample, 'started_at', i.started_at, 'last_at', i.last_at,
                'records', i.records, 'proven', i.proven,
                'campaigns', (SELECT count(*) FROM incident_campaign c
                              WHERE c.incident_id = i.id AND c.campaign_id <> 0)));
    END IF;
END $$;
COMMENT ON FUNCTION incident_tell(integer, text, incident) IS 'Event of an incident';

-- All rows that may change are locked first, in the order of the batch writer; what hangs on a row is
-- touched by nobody else meanwhile. The densest window decides, whenever its records were stored: so
-- the order of arrival makes no difference.
CREATE FUNCTION incident_turn(at timestamptz, keep_after timestamptz) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    -- A late record of two days ago still finds its neighbours; older slots of a run that trickles
    -- on for weeks go.
    slots_after timestamptz := at - interval '2 days'
        - (SELECT coalesce(max(window_s), 0) FROM incident_limit) * interval '1 second';
    mine bigint[];
    opened bigint;
    closed bigint;
BEGIN
    SELECT array_agg(x.id) INTO mine FROM (
        SELECT i.id FROM incident i LEFT JOIN incident_limit l ON l.class = i.class
        WHERE i.closed_at < keep_after OR i.closed_at IS NULL AND (
            i.opened_at IS NULL AND i.records >= l.records
            OR i.last_at < at - coalesce(l.quiet_s, 21600) * interval '1 second'
            OR EXISTS (SELECT FROM incident_slot s
                       WHERE s.incident_id = i.id AND s.slot < slots_after))
        ORDER BY i.key, i.id FOR UPDATE OF i) x;
    WITH due AS (
        SELECT i.id FROM incident i JOIN incident_limit l ON l.class = i.class
        WHERE i.id = ANY (mine)
          AND i.closed_at IS NULL AND i.opened_at IS NULL AND i.records >= l.records
          AND i.proven >= coalesce(l.proven, l.records)
          AND EXISTS (SELECT FROM incident_slot s WHERE s.incident_id = i.id AND (
              SELECT sum(w.records) >= l.records AND sum(w.proven) >= coalesce(l.proven, l.records)
              FROM incident_slot w
              WHERE w.incident_id = i.id AND w.slot >= s.slot
                AND w.slot < s.slot + l.window_s * interval '1 second'))
    ), changed AS (
        UPDATE incident i SET opened_at = at FROM due WHERE i.id = due.id RETURNING i.*
    ), forgotten AS (
        DELETE FROM incident_slot s USING changed c WHERE s.incident_id = c.id
    )
    SELECT count(incident_tell(128, 'incident.opened', c::incident)::text) INTO opened FROM changed c;
    WITH due AS (
        SELECT i.id FROM incident i LEFT JOIN incident_limit l ON l.class = i.class
        WHERE i.id = ANY (mine) AND i.closed_at IS NULL AND i.opened_at IS NOT NULL
          AND i.last_at < at - coalesce(l.quiet_s, 21600) * interval '1 second'
    ), changed AS (
        UPDATE incident i SET closed_at = at FROM due WHERE i.id = due.id RETURNING i.*
    )
    SELECT count(incident_tell(256, 'incident.closed', c::incident)::text) INTO closed FROM changed c;
    DELETE FROM incident i USING incident g LEFT JOIN incident_limit l ON l.class = g.class
        WHERE i.id = ANY (mine) AND g.id = i.id AND (g.closed_at < keep_after
            OR g.closed_at IS NULL AND g.opened_at IS NULL
            AND g.last_at < at - coalesce(l.quiet_s, 21600) * interval '1 second');
    DELETE FROM incident_slot WHERE incident_id = ANY (mine) AND slot < slots_after;
    RETURN opened + closed;
END $$;
COMMENT ON FUNCTION incident_turn(timestamptz, timestamptz) IS
    'Open and close incidents, forget runs that became none and what was closed before keep_after; the number opened and closed';
