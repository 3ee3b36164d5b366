-- Broken locks: for the history of the file, and as notices to the holder until they are dismissed and mailed
CREATE TABLE overrides (
    vault_id     TEXT COLLATE "C" NOT NULL,
    -- the event that recorded it
    event        BIGINT NOT NULL,
    file_id      TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    revision     BIGINT NOT NULL,
    holder       TEXT COLLATE "C" NOT NULL,
    actor        TEXT COLLATE "C" NOT NULL,
    at           BIGINT NOT NULL,
    reason       TEXT NOT NULL,
    mailed_at    BIGINT,
    dismissed_at BIGINT,
    PRIMARY KEY (vault_id, event)
);
CREATE INDEX overrides_of_file ON overrides (vault_id, file_id, event);
CREATE INDEX overrides_open ON overrides (holder, at) WHERE dismissed_at IS NULL;
CREATE INDEX overrides_unmailed ON overrides (at) WHERE mailed_at IS NULL;
