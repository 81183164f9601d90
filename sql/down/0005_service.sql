DROP TABLE idempotency;
DROP TABLE token;
DROP TABLE quarantine;
DROP TABLE journal_position;
