-- SHA-256 of the script in hex; NULL for versions applied by a program that did not record it.
ALTER TABLE migrations ADD COLUMN checksum TEXT;
