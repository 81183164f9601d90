ALTER TABLE report DROP COLUMN envelope_parameters;
