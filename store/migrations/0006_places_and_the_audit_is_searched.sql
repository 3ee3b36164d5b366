-- Where each account was signed in before.
CREATE TABLE places (
    username TEXT COLLATE "C" NOT NULL,
    program  TEXT COLLATE "C" NOT NULL,
    network  TEXT COLLATE "C" NOT NULL,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (username, program, network)
);

CREATE INDEX audit_actors ON audit (chain, actor, n);
CREATE INDEX audit_subjects ON audit (chain, subject, n);
