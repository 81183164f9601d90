DROP FUNCTION guard_decide(bigint, boolean);
DROP FUNCTION guard_hold(timestamptz, integer);
DROP FUNCTION guard_sent(bigint, text);
DROP TABLE suppression_guard_limit;
ALTER TABLE suppression DROP COLUMN guard_id;
DROP TABLE suppression_guard;
