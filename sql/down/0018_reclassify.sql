DROP FUNCTION suppression_rejudge(boolean, bytea[], bytea[], text[], bigint[], text[],
    smallint[], smallint[], bigint[], text[], timestamptz[], text[], text[], bytea[],
    timestamptz[]);
DROP TABLE reclassify_change;
DROP TABLE reclassify_address;
DROP TABLE reclassify_run;
DROP INDEX status_proven;
DROP FUNCTION address_hash(text);
DROP INDEX status_delivery;
