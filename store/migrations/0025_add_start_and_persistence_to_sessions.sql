-- auth_time may be that of an older session; a browser session is short unless its user stays signed in
ALTER TABLE sessions ADD COLUMN started_at BIGINT;
ALTER TABLE sessions ADD COLUMN persistent BIGINT NOT NULL DEFAULT 1;
