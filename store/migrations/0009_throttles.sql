-- Failures in a row, by what was tried in vain and from where: see auth::store::Bucket for the three parts of the key.
CREATE TABLE throttles (
    -- '' for networks, else a hash of the name: what was typed as one may be a password
    who         TEXT COLLATE "C" NOT NULL,
    what        TEXT COLLATE "C" NOT NULL,
    place       TEXT COLLATE "C" NOT NULL,
    -- where there is such an account
    username    TEXT COLLATE "C",
    failures    BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    paid_off_at BIGINT NOT NULL,
    PRIMARY KEY (who, what, place)
);
CREATE INDEX throttles_paid_off ON throttles (paid_off_at) WHERE who = '';
CREATE INDEX throttles_last ON throttles (last_at) WHERE who <> '';

-- Networks and browsers that accounts have signed in from, as the throttle knows them.
CREATE TABLE acquaintances (
    username TEXT COLLATE "C" NOT NULL,
    place    TEXT COLLATE "C" NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (username, place)
);
CREATE INDEX acquaintances_seen ON acquaintances (seen_at);
