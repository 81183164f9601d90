DROP FUNCTION incident_turn(timestamptz, timestamptz);
DROP FUNCTION incident_tell(integer, text, incident);
DROP INDEX status_incident;
ALTER TABLE status DROP COLUMN incident_key;
DROP TABLE incident_slot;
DROP TABLE incident_campaign;
DROP TABLE incident;
DROP TABLE incident_limit;
