CREATE TABLE factors (
    -- of a passkey: its credential id
    factor_id    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    username     TEXT COLLATE "C" NOT NULL,
    -- totp, recovery, passkey
    kind         TEXT NOT NULL,
    name         TEXT NOT NULL,
    -- totp: the sealed secret; recovery: the code's hash; passkey: its public half
    body         TEXT NOT NULL,
    -- totp: the last time step used; passkey: the signature counter
    counter      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    used_at      BIGINT
);
CREATE INDEX factors_of ON factors (username, kind);
CREATE UNIQUE INDEX factors_one_app ON factors (username) WHERE kind = 'totp';
