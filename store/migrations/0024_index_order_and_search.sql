-- Lists in natural order, and by size, change and holder
CREATE INDEX files_by_name ON files (vault_id, natural_key, path_key) WHERE deleted = 0 AND kind = 1;
CREATE INDEX files_by_size ON files (vault_id, size, natural_key, path_key) WHERE deleted = 0 AND kind = 1;
CREATE INDEX files_by_change ON files (vault_id, modified_at, natural_key, path_key) WHERE deleted = 0 AND kind = 1;
CREATE INDEX files_by_holder ON files (vault_id, COALESCE(locked_by, '~'), natural_key, path_key)
    WHERE deleted = 0 AND kind = 1;
CREATE INDEX files_in_folder_by_name ON files (vault_id, parent_key, kind, natural_key, path_key) WHERE deleted = 0;
