-- What was deleted last, for the list that it can be restored from
CREATE INDEX files_deleted_last ON files (vault_id, change) WHERE deleted = 1;
