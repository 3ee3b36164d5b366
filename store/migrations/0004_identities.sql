-- Accounts at upstream OpenID providers that open ours. Issuer and subject are who somebody is there.
CREATE TABLE identities (
    issuer       TEXT COLLATE "C" NOT NULL,
    subject      TEXT COLLATE "C" NOT NULL,
    provider     TEXT NOT NULL,
    known_as     TEXT,
    username     TEXT COLLATE "C" NOT NULL,
    linked_at    BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_of ON identities (username);
