-- Sort keys and search texts, made by one function for both databases (ADR 0066). The program fills them for old rows.
ALTER TABLE files ADD COLUMN natural_key TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN search_text TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Of SQLite alone: the row of a file in the index of the search
ALTER TABLE files ADD COLUMN search_id BIGINT;
