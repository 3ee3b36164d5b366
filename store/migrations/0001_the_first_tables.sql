-- Only BIGINT and TEXT; times are microseconds since 1970, truths 0 or 1. Every key of a vault leads with vault_id.
-- COLLATE "C" is for PostgreSQL, so that both databases sort by bytes; SQLite does so by itself and is not told.

-- accounts ----------------------------------------------------------------------------------------------------------

CREATE TABLE accounts (
    username      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    display_name  TEXT,
    email         TEXT,
    standing      TEXT NOT NULL,
    administrator BIGINT NOT NULL,
    password      TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    -- username, display name and e-mail in small letters
    search_key    TEXT NOT NULL
);
CREATE INDEX accounts_administrators ON accounts (username) WHERE administrator = 1;

CREATE TABLE sessions (
    session_id  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    username    TEXT COLLATE "C" NOT NULL,
    kind        TEXT NOT NULL,
    auth_time   BIGINT NOT NULL,
    last_seen   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    address     TEXT NOT NULL,
    user_agent  TEXT,
    ended_at    BIGINT,
    end_reason  TEXT,
    -- SHA-256 of the cookie, of web sessions
    cookie_hash TEXT COLLATE "C"
);
CREATE UNIQUE INDEX sessions_cookie ON sessions (cookie_hash) WHERE cookie_hash IS NOT NULL;
CREATE INDEX sessions_of ON sessions (username, last_seen);
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_expiring ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    session_id TEXT COLLATE "C" NOT NULL,
    issued_at  BIGINT NOT NULL,
    used_at    BIGINT,
    -- what it was exchanged for
    successor  TEXT COLLATE "C"
);
CREATE INDEX refresh_tokens_of ON refresh_tokens (session_id);

-- Names of accounts to be read anew, in the order of commits: every node's directory follows it.
CREATE TABLE account_events (
    n        BIGINT NOT NULL PRIMARY KEY,
    username TEXT COLLATE "C" NOT NULL
);

-- One row for each number that is counted up without gaps; holding the row also keeps the administrators as they are.
CREATE TABLE counters (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('account_events', 0);

-- vaults ------------------------------------------------------------------------------------------------------------

CREATE TABLE vaults (
    vault_id   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name       TEXT COLLATE "C" NOT NULL,
    change_seq BIGINT NOT NULL,
    event_seq  BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX vaults_name ON vaults (name);

CREATE TABLE members (
    vault_id TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C" NOT NULL,
    role     TEXT NOT NULL,
    PRIMARY KEY (vault_id, username)
);
CREATE INDEX members_roles ON members (username);

CREATE TABLE files (
    vault_id    TEXT COLLATE "C" NOT NULL,
    -- of a folder: '/' and its key
    file_id     TEXT COLLATE "C" NOT NULL,
    -- 0 folder, 1 file: folders come first in a folder's page
    kind        BIGINT NOT NULL,
    path        TEXT NOT NULL,
    path_key    TEXT COLLATE "C" NOT NULL,
    -- the key of the folder it is in, '' at the top, and the rest of its own key
    parent_key  TEXT COLLATE "C" NOT NULL,
    leaf_key    TEXT COLLATE "C" NOT NULL,
    description TEXT,
    revision    BIGINT NOT NULL,
    change      BIGINT NOT NULL,
    oid         TEXT NOT NULL,
    size        BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    modified_by TEXT NOT NULL,
    locked_by   TEXT COLLATE "C",
    lock_id     BIGINT,
    locked_at   BIGINT,
    lock_note   TEXT,
    grants      BIGINT NOT NULL,
    deleted     BIGINT NOT NULL,
    PRIMARY KEY (vault_id, file_id)
);
CREATE UNIQUE INDEX files_name ON files (vault_id, path_key) WHERE deleted = 0;
CREATE INDEX files_in_folder ON files (vault_id, parent_key, kind, leaf_key) WHERE deleted = 0;
CREATE INDEX files_deleted ON files (vault_id, path_key, change) WHERE deleted = 1;
CREATE INDEX files_held ON files (vault_id, path_key) WHERE deleted = 0 AND locked_by IS NOT NULL;
CREATE INDEX files_held_by ON files (vault_id, locked_by, path_key) WHERE deleted = 0 AND locked_by IS NOT NULL;

CREATE TABLE revisions (
    vault_id     TEXT COLLATE "C" NOT NULL,
    file_id      TEXT COLLATE "C" NOT NULL,
    revision     BIGINT NOT NULL,
    change       BIGINT NOT NULL,
    kind         TEXT NOT NULL,
    name         TEXT NOT NULL,
    moved_from   TEXT,
    -- NULL where the revision deleted the file
    oid          TEXT,
    size         BIGINT,
    author       TEXT NOT NULL,
    author_name  TEXT NOT NULL,
    author_email TEXT NOT NULL,
    at           BIGINT NOT NULL,
    comment      TEXT NOT NULL,
    PRIMARY KEY (vault_id, file_id, revision)
);
CREATE UNIQUE INDEX revisions_change ON revisions (vault_id, change);

CREATE TABLE events (
    vault_id TEXT COLLATE "C" NOT NULL,
    event    BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (vault_id, event)
);

CREATE TABLE blobs (
    vault_id  TEXT COLLATE "C" NOT NULL,
    oid       TEXT COLLATE "C" NOT NULL,
    size      BIGINT NOT NULL,
    -- where and how the bytes are kept: packing them later changes no reader
    store_key TEXT NOT NULL,
    encoding  TEXT NOT NULL,
    base_oid  TEXT,
    state     TEXT NOT NULL,
    PRIMARY KEY (vault_id, oid)
);

CREATE TABLE commits (
    vault_id TEXT COLLATE "C" NOT NULL,
    change   BIGINT NOT NULL,
    sha      TEXT NOT NULL,
    PRIMARY KEY (vault_id, change)
);

CREATE TABLE idempotency (
    vault_id    TEXT COLLATE "C" NOT NULL,
    username    TEXT COLLATE "C" NOT NULL,
    request_key TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT NOT NULL,
    outcome     TEXT,
    at          BIGINT NOT NULL,
    PRIMARY KEY (vault_id, username, request_key)
);
CREATE INDEX idempotency_age ON idempotency (at);

-- audit -------------------------------------------------------------------------------------------------------------

-- One chain for the accounts and one for each vault. Each entry's hash covers the one before it.
CREATE TABLE audit (
    chain     TEXT COLLATE "C" NOT NULL,
    n         BIGINT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash      TEXT NOT NULL,
    at        BIGINT NOT NULL,
    actor     TEXT NOT NULL,
    action    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    detail    TEXT NOT NULL,
    PRIMARY KEY (chain, n)
);

-- The newest entry of each chain, so that one missing at the end is noticed too.
CREATE TABLE audit_heads (
    chain TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    n     BIGINT NOT NULL,
    hash  TEXT NOT NULL
);
INSERT INTO audit_heads (chain, n, hash) VALUES ('accounts', 0, '');
