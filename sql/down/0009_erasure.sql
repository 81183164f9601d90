DROP FUNCTION recipient_erase(bytea, bigint, text);
DROP FUNCTION suppression_erase(bytea);
DROP FUNCTION recipient_statuses(bytea, bigint, text);
DROP FUNCTION erased_hash(bytea);
DROP TABLE erasure_key;
