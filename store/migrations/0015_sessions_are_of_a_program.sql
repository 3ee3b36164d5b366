-- The program that a session was given to; NULL for a person's own sign-in, and for those from before.
ALTER TABLE sessions ADD COLUMN client TEXT;
