-- Groups of accounts, and what all of a group's members may do in a vault.
CREATE TABLE account_groups (
    name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

CREATE TABLE group_members (
    username TEXT COLLATE "C" NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (username, name)
);
CREATE INDEX group_members_of ON group_members (name, username);

CREATE TABLE group_roles (
    name     TEXT COLLATE "C" NOT NULL,
    vault_id TEXT COLLATE "C" NOT NULL,
    role     TEXT NOT NULL,
    PRIMARY KEY (name, vault_id)
);
CREATE INDEX group_roles_in ON group_roles (vault_id, name);
