DROP INDEX log_file_front_octets;
DROP INDEX log_file_inode;
ALTER TABLE log_file DROP COLUMN octets, DROP COLUMN modified_ns, DROP COLUMN gone_at;
