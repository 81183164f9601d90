ALTER TABLE reclassify_change DROP COLUMN cause;
