ALTER TABLE log_message ADD COLUMN recipient text, ADD COLUMN recipient_key bigint,
    ADD COLUMN remote_mta text, ADD COLUMN diagnostic text;
COMMENT ON COLUMN log_message.recipient IS 'Recipient of its last delay';
COMMENT ON COLUMN log_message.recipient_key IS 'First 8 octets of SHA-256 of the lower-cased address';
COMMENT ON COLUMN log_message.remote_mta IS 'Remote of its last delay';
COMMENT ON COLUMN log_message.diagnostic IS 'Reason of its last delay';
UPDATE log_message m SET recipient = w.recipient, recipient_key = w.recipient_key,
    remote_mta = w.remote_mta, diagnostic = w.diagnostic FROM log_waiting w
    WHERE w.source_id = m.source_id AND w.queue_id = m.queue_id;
DROP TABLE log_waiting;
