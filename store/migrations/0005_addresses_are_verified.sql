-- 1 once somebody has shown that they read what is sent to the account's e-mail address.
ALTER TABLE accounts ADD COLUMN email_verified BIGINT NOT NULL DEFAULT 0;
