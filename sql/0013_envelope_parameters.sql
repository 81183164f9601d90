-- What RFC 3461 adds to the envelope, as it was given: it would else end with the journal's record.
ALTER TABLE report ADD COLUMN envelope_parameters text[];
COMMENT ON COLUMN report.envelope_parameters IS 'RET of MAIL, then NOTIFY and ORCPT of each of envelope_to; NULL when none was given';
