-- +goose Up

-- Registered seals. The record is written once; its history is a table of its own
-- that only grows.
CREATE TABLE seals (
    n      INTEGER PRIMARY KEY,
    id     TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    office TEXT    NOT NULL CHECK (office <> ''),
    record TEXT    NOT NULL CHECK (json_valid(record))
) STRICT;
CREATE INDEX seals_office ON seals (office, n);
-- +goose StatementBegin
CREATE TRIGGER seals_fixed BEFORE UPDATE ON seals
BEGIN
    SELECT RAISE(ABORT, 'a registered seal does not change');
END;
-- +goose StatementEnd

CREATE TABLE seal_changes (
    n      INTEGER PRIMARY KEY,
    seal   TEXT    NOT NULL REFERENCES seals (id),
    status TEXT    NOT NULL CHECK (status IN ('active', 'suspended', 'voided')),
    at     INTEGER NOT NULL CHECK (at > 0),
    by     TEXT    NOT NULL,
    reason TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX seal_changes_seal ON seal_changes (seal, n);
-- +goose StatementBegin
CREATE TRIGGER seal_changes_fixed BEFORE UPDATE ON seal_changes
BEGIN
    SELECT RAISE(ABORT, 'the history of a seal only grows');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER seal_changes_kept BEFORE DELETE ON seal_changes
BEGIN
    SELECT RAISE(ABORT, 'the history of a seal only grows');
END;
-- +goose StatementEnd

-- Every use of a seal; an approval is good for one use.
CREATE TABLE seal_uses (
    n        INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    seal     TEXT    NOT NULL REFERENCES seals (id),
    approval TEXT    NOT NULL CHECK (approval <> ''),
    used     TEXT    NOT NULL CHECK (json_valid(used))
) STRICT;
CREATE INDEX seal_uses_seal ON seal_uses (seal, n);
CREATE UNIQUE INDEX seal_uses_approval ON seal_uses (approval) WHERE approval <> 'none';
-- +goose StatementBegin
CREATE TRIGGER seal_uses_fixed BEFORE UPDATE ON seal_uses
BEGIN
    SELECT RAISE(ABORT, 'the use of a seal is recorded once');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER seal_uses_kept BEFORE DELETE ON seal_uses
BEGIN
    SELECT RAISE(ABORT, 'the use of a seal is recorded once');
END;
-- +goose StatementEnd

-- Documents on their way out of an office, before the hub knows of them.
CREATE TABLE dispatches (
    n        INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    office   TEXT    NOT NULL CHECK (office <> ''),
    state    TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'packed', 'sent', 'declined', 'refused')),
    dispatch TEXT    NOT NULL CHECK (json_valid(dispatch))
) STRICT;
CREATE INDEX dispatches_office ON dispatches (office, n);
CREATE INDEX dispatches_open ON dispatches (state, n) WHERE state IN ('approved', 'packed');
-- +goose StatementBegin
CREATE TRIGGER dispatches_arrow BEFORE UPDATE OF state ON dispatches
WHEN OLD.state || '>' || NEW.state NOT IN (
    'pending>approved', 'pending>declined', 'approved>packed', 'packed>sent', 'packed>refused')
BEGIN
    SELECT RAISE(ABORT, 'transition is not allowed');
END;
-- +goose StatementEnd
