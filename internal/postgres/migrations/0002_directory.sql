-- +goose Up

CREATE TABLE organisations (
    code            text        COLLATE "C" PRIMARY KEY CHECK (code <> ''),
    name            text        NOT NULL CHECK (name <> ''),
    aliases         text[]      NOT NULL DEFAULT '{}',
    parent          text        NOT NULL DEFAULT '',
    signing_cert    bytea       NOT NULL DEFAULT '',
    encryption_cert bytea       NOT NULL DEFAULT '',
    archive         boolean     NOT NULL DEFAULT false,
    status          text        NOT NULL CHECK (status IN ('active', 'closed')),
    changed         timestamptz NOT NULL
);

CREATE TABLE accounts (
    id     text   COLLATE "C" PRIMARY KEY CHECK (id <> ''),
    org    text   COLLATE "C" NOT NULL REFERENCES organisations (code),
    name   text   NOT NULL,
    roles  text[] NOT NULL,
    status text   NOT NULL CHECK (status IN ('active', 'closed')),
    secret text   NOT NULL CHECK (secret LIKE '$argon2id$%'),
    epoch  bigint NOT NULL,
    -- No account holds both seal use and seal approval, whoever writes the row.
    CHECK (NOT roles @> ARRAY['seal_keeper', 'approver'])
);
CREATE INDEX accounts_org ON accounts (org, id);

CREATE TABLE sessions (
    token_hash text        PRIMARY KEY CHECK (length(token_hash) = 64),
    account    text        COLLATE "C" NOT NULL REFERENCES accounts (id),
    epoch      bigint      NOT NULL,
    expires    timestamptz NOT NULL
);
CREATE INDEX sessions_account ON sessions (account);

-- The archive's index. The record itself is JSON; the columns beside it are what is searched.
CREATE TABLE records (
    n        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text   NOT NULL UNIQUE,
    code     text   NOT NULL UNIQUE,
    exchange text   NOT NULL UNIQUE,
    issuer   text   NOT NULL,
    number   text   NOT NULL,
    title    text   NOT NULL,
    record   json   NOT NULL,
    package  text   NOT NULL
);
CREATE INDEX records_number ON records (number);
CREATE TABLE record_parties (
    office text   NOT NULL,
    n      bigint NOT NULL REFERENCES records (n),
    PRIMARY KEY (office, n)
);
CREATE TABLE record_items (
    fonds text   NOT NULL,
    class text   NOT NULL,
    last  bigint NOT NULL,
    PRIMARY KEY (fonds, class)
);
