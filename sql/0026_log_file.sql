-- Files of a folder that were read to their end: as they were then, so that they need not be opened to
-- be known again; and when they went, so that they can be forgotten.

ALTER TABLE log_file
    ADD COLUMN octets bigint,
    ADD COLUMN modified_ns bigint,
    ADD COLUMN gone_at timestamptz;
COMMENT ON COLUMN log_file.octets IS 'Its size when it was done; NULL before';
COMMENT ON COLUMN log_file.modified_ns IS 'When it was last written to before it was done, in nanoseconds since 1970; NULL before';
COMMENT ON COLUMN log_file.gone_at IS 'Since when a done file of a folder is not found there any more; after 30 days the row goes. NULL while it is there';
CREATE INDEX log_file_inode ON log_file (source_id, inode);
CREATE INDEX log_file_front_octets ON log_file (source_id, front_octets);
