DROP FUNCTION send_place(bigint[], text[], text[]);
COMMENT ON COLUMN send.provider IS 'Provider family of the recipient''s domain; empty when unknown';
