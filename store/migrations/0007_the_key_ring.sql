-- Keys that sign, sealed under the master key: a copy of the database signs nothing.
CREATE TABLE keys (
    kid        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    purpose    TEXT COLLATE "C" NOT NULL,
    algorithm  TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    made_at    BIGINT NOT NULL,
    -- from then on it only verifies; NULL for the one that signs
    retired_at BIGINT
);
CREATE UNIQUE INDEX keys_signing ON keys (purpose) WHERE retired_at IS NULL;
