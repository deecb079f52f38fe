-- +goose Up

-- Envelopes that come in pieces, with how much of them is durable and the state of their SM3. A row promises nothing that is
-- not in the blob store yet; version counts its writes, so that of two that go on with one upload one gets its way.
CREATE TABLE uploads (
    n        INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE CHECK (length(id) = 36),
    office   TEXT    NOT NULL CHECK (office <> ''),
    account  TEXT    NOT NULL CHECK (account <> ''),
    key      TEXT    NOT NULL CHECK (key <> ''),
    length   INTEGER NOT NULL CHECK (length > 0),
    received INTEGER NOT NULL CHECK (received BETWEEN 0 AND length),
    state    BLOB    NOT NULL CHECK (length(state) > 0),
    mark     TEXT    NOT NULL,
    outcome  TEXT    NOT NULL CHECK (outcome = '' OR json_valid(outcome) AND received = length),
    at       INTEGER NOT NULL CHECK (at > 0),
    expires  INTEGER NOT NULL CHECK (expires >= at),
    version  INTEGER NOT NULL CHECK (version > 0),
    UNIQUE (office, key)
) STRICT;
CREATE INDEX uploads_expires ON uploads (expires);
-- +goose StatementBegin
CREATE TRIGGER uploads_fixed BEFORE UPDATE ON uploads
WHEN NEW.id <> OLD.id OR NEW.office <> OLD.office OR NEW.account <> OLD.account OR NEW.key <> OLD.key OR NEW.length <> OLD.length
    OR NEW.version <> OLD.version + 1 OR OLD.outcome <> '' AND NEW.outcome <> OLD.outcome
BEGIN
    SELECT RAISE(ABORT, 'an upload does not change what it was begun as');
END;
-- +goose StatementEnd
