ALTER TABLE sessions ADD COLUMN methods TEXT NOT NULL DEFAULT 'pwd';
ALTER TABLE sessions ADD COLUMN grants TEXT NOT NULL DEFAULT 'files:read files:write locks:override admin account';
-- JSON list of vault ids; NULL for all
ALTER TABLE sessions ADD COLUMN realms TEXT;
ALTER TABLE sessions ADD COLUMN label TEXT;

-- What is kept between two requests and good for one use: reset links, invitations, codes, ceremonies.
CREATE TABLE slips (
    kind       TEXT COLLATE "C" NOT NULL,
    hash       TEXT COLLATE "C" NOT NULL,
    username   TEXT COLLATE "C",
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (kind, hash)
);
CREATE INDEX slips_of ON slips (username, kind) WHERE username IS NOT NULL;
CREATE INDEX slips_expiring ON slips (expires_at);
