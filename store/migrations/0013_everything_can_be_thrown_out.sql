-- Grows whenever everything of the account is thrown out: what was begun under an older one is void
ALTER TABLE accounts ADD COLUMN era BIGINT NOT NULL DEFAULT 0;
