CREATE INDEX throttles_of ON throttles (username) WHERE username IS NOT NULL;
