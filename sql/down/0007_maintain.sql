DROP FUNCTION suppression_expire(timestamptz);
DROP FUNCTION delivery_expire(timestamptz, timestamptz, integer);
