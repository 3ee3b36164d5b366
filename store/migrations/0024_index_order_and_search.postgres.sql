-- The index of the search: every run of three characters. Unlike pg_trgm it needs no extension, and its runs are those
-- of SQLite.
CREATE FUNCTION file_grams(text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $grams$
    SELECT array_agg(DISTINCT substr($1, n, 3)) FROM generate_series(1, length($1) - 2) n
$grams$;
CREATE INDEX files_search ON files USING GIN (file_grams(search_text)) WHERE deleted = 0 AND kind = 1;
