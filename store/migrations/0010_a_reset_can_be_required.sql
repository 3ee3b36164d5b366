-- 1: the password is not taken any more, right as it may be, until a link has set a new one
ALTER TABLE accounts ADD COLUMN reset_required BIGINT NOT NULL DEFAULT 0;
CREATE INDEX accounts_email ON accounts (LOWER(email));
