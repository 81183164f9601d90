DROP TABLE log_message;
DROP TABLE log_file;
DROP TABLE log_source;
