-- What `dsnd ingest` has to remember of the logs of mail servers: which files it read how far (the
-- position stands in journal_position), and which messages are still on their way.

CREATE TABLE log_source (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);
COMMENT ON TABLE log_source IS 'Logs that dsnd ingest reads, whatever files they are kept in';
COMMENT ON COLUMN log_source.id IS 'Number';
COMMENT ON COLUMN log_source.name IS 'Format, machine and path, or format and the name it was given';

CREATE TABLE log_file (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id bigint NOT NULL REFERENCES log_source,
    journal text NOT NULL UNIQUE,
    inode bigint NOT NULL,
    front_octets integer NOT NULL,
    front_sha256 bytea NOT NULL,
    name text NOT NULL,
    done boolean NOT NULL DEFAULT false,
    seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE log_file IS 'Files of a log; rotation renames and copies them, so they are known by what is in them';
COMMENT ON COLUMN log_file.id IS 'Number; the file read last has the largest of its source';
COMMENT ON COLUMN log_file.source_id IS 'log_source.id';
COMMENT ON COLUMN log_file.journal IS 'journal_position.journal: random, 32 hex digits; its sequence is an offset in the file';
COMMENT ON COLUMN log_file.inode IS 'Inode when it was last read; tells files with the same front apart';
COMMENT ON COLUMN log_file.front_octets IS 'Octets of its front that were hashed';
COMMENT ON COLUMN log_file.front_sha256 IS 'SHA-256 of them';
COMMENT ON COLUMN log_file.name IS 'Its path when it was last read, for people';
COMMENT ON COLUMN log_file.done IS 'It was read to its end, and nobody writes to it any more';
COMMENT ON COLUMN log_file.seen_at IS 'When it was first read';
CREATE INDEX log_file_source ON log_file (source_id, id);
CREATE INDEX log_file_front ON log_file (front_sha256);

CREATE TABLE log_message (
    source_id bigint NOT NULL,
    queue_id text NOT NULL,
    sender text,
    message_id text,
    queued_at timestamptz,
    recipient text,
    recipient_key bigint,
    remote_mta text,
    diagnostic text,
    touched_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source_id, queue_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE log_message IS 'Messages in the queue of a mail server, as its log tells; gone when the server has removed them';
COMMENT ON COLUMN log_message.source_id IS 'log_source.id';
COMMENT ON COLUMN log_message.queue_id IS 'Host of its log lines and /, where they have one, and the server''s name for it';
COMMENT ON COLUMN log_message.sender IS 'Envelope sender; NULL while no line named it';
COMMENT ON COLUMN log_message.message_id IS 'Message-ID without < and >';
COMMENT ON COLUMN log_message.queued_at IS 'When the server took it';
COMMENT ON COLUMN log_message.recipient IS 'Recipient of its last delay';
COMMENT ON COLUMN log_message.recipient_key IS 'First 8 octets of SHA-256 of the lower-cased address';
COMMENT ON COLUMN log_message.remote_mta IS 'Remote of its last delay';
COMMENT ON COLUMN log_message.diagnostic IS 'Reason of its last delay';
COMMENT ON COLUMN log_message.touched_at IS 'When the log last told of it';
CREATE INDEX log_message_touched ON log_message (touched_at);

COMMENT ON COLUMN report.kind IS 'enum report_kind: 0 other, 1 dsn, 2 bounce_text, 3 arf, 4 mdn, 5 auto_reply, 6 mta_log';
COMMENT ON COLUMN report.source IS 'enum journal_source: 1 smtp, 2 lmtp, 3 submission, 4 import, 5 log';
