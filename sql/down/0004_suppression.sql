DROP FUNCTION suppression_log(smallint, smallint, text, suppression[]);
DROP TABLE suppression_change;
DROP TABLE suppression_clock;
DROP TABLE suppression;
DROP TABLE suppression_policy;
