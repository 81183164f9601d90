-- Few entries are of erased people; a check of many addresses looks each of them up here too.
CREATE INDEX suppression_erased ON suppression (address_hash) WHERE address IS NULL AND ref IS NULL;
