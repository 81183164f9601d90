-- Of a message in the queue of a mail server all recipients who wait, not the last who was delayed: when
-- the server gives the message up, all of them have failed, each for the reason of his own last delay.

CREATE TABLE log_waiting (
    source_id bigint NOT NULL,
    queue_id text NOT NULL,
    recipient text NOT NULL,
    recipient_key bigint,
    remote_mta text,
    diagnostic text,
    PRIMARY KEY (source_id, queue_id, recipient),
    FOREIGN KEY (source_id, queue_id) REFERENCES log_message ON DELETE CASCADE
);
COMMENT ON TABLE log_waiting IS 'Recipients of messages in the queue of a mail server who were delayed and wait; gone with their result';
COMMENT ON COLUMN log_waiting.source_id IS 'log_message.source_id';
COMMENT ON COLUMN log_waiting.queue_id IS 'log_message.queue_id';
COMMENT ON COLUMN log_waiting.recipient IS 'The address the sender used';
COMMENT ON COLUMN log_waiting.recipient_key IS 'First 8 octets of SHA-256 of the lower-cased address';
COMMENT ON COLUMN log_waiting.remote_mta IS 'Remote of the last delay';
COMMENT ON COLUMN log_waiting.diagnostic IS 'Reason of the last delay';
INSERT INTO log_waiting (source_id, queue_id, recipient, recipient_key, remote_mta, diagnostic)
    SELECT source_id, queue_id, recipient, recipient_key, remote_mta, diagnostic FROM log_message
    WHERE recipient IS NOT NULL;
ALTER TABLE log_message DROP COLUMN recipient, DROP COLUMN recipient_key, DROP COLUMN remote_mta,
    DROP COLUMN diagnostic;
