-- when the owner of a personal access token was told that it ends
ALTER TABLE sessions ADD COLUMN reminded_at BIGINT;
-- of the request, as in detail; '' where there was none, NULL in entries of before
ALTER TABLE audit ADD COLUMN address TEXT COLLATE "C";
CREATE INDEX audit_addresses ON audit (chain, address, n);
