-- +goose Up

CREATE TABLE organisations (
    code            TEXT    PRIMARY KEY CHECK (code <> ''),
    name            TEXT    NOT NULL CHECK (name <> ''),
    aliases         TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(aliases)),
    parent          TEXT    NOT NULL DEFAULT '',
    signing_cert    BLOB    NOT NULL DEFAULT x'',
    encryption_cert BLOB    NOT NULL DEFAULT x'',
    archive         INTEGER NOT NULL DEFAULT 0 CHECK (archive IN (0, 1)),
    status          TEXT    NOT NULL CHECK (status IN ('active', 'closed')),
    changed         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    id     TEXT    PRIMARY KEY CHECK (id <> ''),
    org    TEXT    NOT NULL REFERENCES organisations (code),
    name   TEXT    NOT NULL,
    roles  TEXT    NOT NULL CHECK (json_valid(roles)),
    status TEXT    NOT NULL CHECK (status IN ('active', 'closed')),
    secret TEXT    NOT NULL CHECK (secret LIKE '$argon2id$%'),
    epoch  INTEGER NOT NULL,
    -- No account holds both seal use and seal approval, whoever writes the row.
    CHECK (NOT (roles LIKE '%"seal_keeper"%' AND roles LIKE '%"approver"%'))
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_org ON accounts (org, id);

CREATE TABLE sessions (
    token_hash TEXT    PRIMARY KEY CHECK (length(token_hash) = 64),
    account    TEXT    NOT NULL REFERENCES accounts (id),
    epoch      INTEGER NOT NULL,
    expires    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions (account);

-- The archive's index. The record itself is JSON; the columns beside it are what is
-- searched.
CREATE TABLE records (
    n        INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    code     TEXT    NOT NULL UNIQUE,
    exchange TEXT    NOT NULL UNIQUE,
    issuer   TEXT    NOT NULL,
    number   TEXT    NOT NULL,
    title    TEXT    NOT NULL,
    record   TEXT    NOT NULL CHECK (json_valid(record)),
    package  TEXT    NOT NULL
) STRICT;
CREATE TABLE record_parties (
    office TEXT    NOT NULL,
    n      INTEGER NOT NULL REFERENCES records (n),
    PRIMARY KEY (office, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE record_items (
    fonds TEXT    NOT NULL,
    class TEXT    NOT NULL,
    last  INTEGER NOT NULL,
    PRIMARY KEY (fonds, class)
) STRICT, WITHOUT ROWID;
