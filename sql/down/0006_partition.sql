DROP FUNCTION partition_drop(text, date);
DROP FUNCTION partition_ensure(date, date);
DROP FUNCTION partition_make(text, date, text, text);
