ALTER TABLE suppression DROP COLUMN caused_at;
DROP TABLE suppression_strike;
