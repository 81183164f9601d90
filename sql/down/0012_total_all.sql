DROP TRIGGER total_hour_all_add ON total_hour;
DROP TRIGGER total_hour_all_change ON total_hour;
DROP TRIGGER total_hour_all_drop ON total_hour;
DROP FUNCTION total_hour_all_add();
DROP FUNCTION total_hour_all_change();
DROP FUNCTION total_hour_all_drop();
DROP TABLE total_hour_all;
