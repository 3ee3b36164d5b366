-- The index of the search: every run of three characters. It stores no text, only where the runs occur.
UPDATE files SET search_id = rowid WHERE kind = 1;
CREATE UNIQUE INDEX files_search_id ON files (search_id);
CREATE VIRTUAL TABLE file_grams USING fts5(text, content = '', contentless_delete = 1, detail = 'none',
    tokenize = 'trigram case_sensitive 1');
INSERT INTO file_grams (rowid, text) SELECT search_id, search_text FROM files WHERE kind = 1 AND deleted = 0;
CREATE TRIGGER file_grams_of_new AFTER INSERT ON files WHEN new.kind = 1 BEGIN
    UPDATE files SET search_id = (SELECT COALESCE(MAX(search_id), 0) + 1 FROM files) WHERE rowid = new.rowid;
    INSERT INTO file_grams (rowid, text)
        SELECT search_id, search_text FROM files WHERE rowid = new.rowid AND deleted = 0;
END;
CREATE TRIGGER file_grams_of_changed AFTER UPDATE OF search_text, deleted ON files
WHEN new.kind = 1 AND (new.search_text <> old.search_text OR new.deleted <> old.deleted) BEGIN
    DELETE FROM file_grams WHERE rowid = old.search_id;
    INSERT INTO file_grams (rowid, text) SELECT new.search_id, new.search_text WHERE new.deleted = 0;
END;
