-- What the service itself has to remember.

CREATE TABLE journal_position (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal text NOT NULL UNIQUE,
    sequence bigint NOT NULL DEFAULT 0,
    segment bigint NOT NULL DEFAULT 0,
    position_octets bigint NOT NULL DEFAULT 0,
    reports bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10);
COMMENT ON TABLE journal_position IS 'How far each journal has become rows; written by the transaction that wrote them';
COMMENT ON COLUMN journal_position.id IS 'Short number of the journal';
COMMENT ON COLUMN journal_position.journal IS 'The journal''s random id, 32 hex digits';
COMMENT ON COLUMN journal_position.sequence IS 'Every record up to this one is stored';
COMMENT ON COLUMN journal_position.segment IS 'Hint: segment in which to go on';
COMMENT ON COLUMN journal_position.position_octets IS 'Hint: offset in that segment';
COMMENT ON COLUMN journal_position.reports IS 'Records that became reports';
COMMENT ON COLUMN journal_position.duplicates IS 'Records that had been received before';
COMMENT ON COLUMN journal_position.quarantined IS 'Records set aside';
COMMENT ON COLUMN journal_position.updated_at IS 'When it last moved';

CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    journal_id bigint NOT NULL,
    sequence bigint NOT NULL,
    received_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    reason smallint NOT NULL,
    error text,
    source smallint NOT NULL,
    tls boolean NOT NULL,
    peer text,
    helo text,
    mail_from text,
    envelope_to text[] NOT NULL,
    smtp_envelope_id text,
    octets integer NOT NULL,
    raw bytea NOT NULL,
    replayed_at timestamptz
);
ALTER TABLE quarantine ALTER COLUMN raw SET STORAGE EXTERNAL;
COMMENT ON TABLE quarantine IS 'Messages that could not become rows, with all that is needed to try again';
COMMENT ON COLUMN quarantine.id IS 'Number';
COMMENT ON COLUMN quarantine.journal_id IS 'journal_position.id';
COMMENT ON COLUMN quarantine.sequence IS 'Sequence in that journal';
COMMENT ON COLUMN quarantine.received_at IS 'When SMTP received it';
COMMENT ON COLUMN quarantine.stored_at IS 'When it was set aside';
COMMENT ON COLUMN quarantine.reason IS 'enum store_quarantine: 1 parser died, 2 too large, 3 row refused, 4 corrupt';
COMMENT ON COLUMN quarantine.error IS 'What PostgreSQL said, where it refused a row';
COMMENT ON COLUMN quarantine.source IS 'enum journal_source';
COMMENT ON COLUMN quarantine.tls IS 'The session was encrypted';
COMMENT ON COLUMN quarantine.peer IS 'Address of the SMTP client';
COMMENT ON COLUMN quarantine.helo IS 'Name the SMTP client gave';
COMMENT ON COLUMN quarantine.mail_from IS 'Envelope sender; empty for <>';
COMMENT ON COLUMN quarantine.envelope_to IS 'Envelope recipients';
COMMENT ON COLUMN quarantine.smtp_envelope_id IS 'ENVID of the session that brought it';
COMMENT ON COLUMN quarantine.octets IS 'Size before compression';
COMMENT ON COLUMN quarantine.raw IS 'The message, one zstd frame';
COMMENT ON COLUMN quarantine.replayed_at IS 'When it was given to the pipeline again; NULL when it waits';
CREATE INDEX quarantine_waiting ON quarantine (id) WHERE replayed_at IS NULL;

CREATE TABLE token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    name text NOT NULL,
    scopes smallint NOT NULL CHECK (scopes BETWEEN 1 AND 15),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON TABLE token IS 'API tokens; the token itself is shown once and never stored';
COMMENT ON COLUMN token.id IS 'Number, for listing and revoking';
COMMENT ON COLUMN token.hash IS 'SHA-256 of the token';
COMMENT ON COLUMN token.name IS 'Whose it is, for people';
COMMENT ON COLUMN token.scopes IS 'OR of 1 read, 2 write, 4 suppressions, 8 admin';
COMMENT ON COLUMN token.created_at IS 'When it was made';
COMMENT ON COLUMN token.expires_at IS 'When it ends by itself; NULL never';
COMMENT ON COLUMN token.revoked_at IS 'When it was revoked; NULL while valid';

CREATE TABLE idempotency (
    token_id bigint NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status smallint,
    content_type text,
    body bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token_id, key)
);
COMMENT ON TABLE idempotency IS 'Answers to POST requests with an Idempotency-Key, kept a day';
COMMENT ON COLUMN idempotency.token_id IS 'token.id of the client';
COMMENT ON COLUMN idempotency.key IS 'The Idempotency-Key';
COMMENT ON COLUMN idempotency.request_hash IS 'SHA-256 of method, path and body: the key must not serve another request';
COMMENT ON COLUMN idempotency.status IS 'HTTP status of the answer; NULL while the request runs';
COMMENT ON COLUMN idempotency.content_type IS 'Content-Type of the answer';
COMMENT ON COLUMN idempotency.body IS 'Body of the answer';
COMMENT ON COLUMN idempotency.created_at IS 'When the key was first used';
CREATE INDEX idempotency_created ON idempotency (created_at);
