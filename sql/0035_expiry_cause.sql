-- An expiry suppresses by its cause, also in a dry run.

ALTER TABLE reclassify_change ADD COLUMN cause smallint NOT NULL;
COMMENT ON COLUMN reclassify_change.cause IS 'As status.cause';
