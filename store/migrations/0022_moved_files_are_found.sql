-- A file is found by a name that it had before
CREATE INDEX revisions_moved ON revisions (vault_id, moved_from, change) WHERE moved_from IS NOT NULL;
