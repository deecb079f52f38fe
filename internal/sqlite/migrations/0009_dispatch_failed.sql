-- +goose Up

-- A dispatch that was approved and cannot be sealed any more ends as failed; an approval may be taken back until then.
CREATE TABLE dispatches_new (
    n        INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    office   TEXT    NOT NULL CHECK (office <> ''),
    state    TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'packed', 'sent', 'declined', 'failed', 'refused')),
    dispatch TEXT    NOT NULL CHECK (json_valid(dispatch))
) STRICT;
INSERT INTO dispatches_new SELECT n, id, office, state, dispatch FROM dispatches;
DROP TABLE dispatches;
ALTER TABLE dispatches_new RENAME TO dispatches;
CREATE INDEX dispatches_office ON dispatches (office, n);
CREATE INDEX dispatches_open ON dispatches (state, n) WHERE state IN ('approved', 'packed');
-- +goose StatementBegin
CREATE TRIGGER dispatches_arrow BEFORE UPDATE OF state ON dispatches
WHEN OLD.state || '>' || NEW.state NOT IN (
    'pending>approved', 'pending>declined', 'approved>packed', 'approved>declined', 'approved>failed',
    'packed>sent', 'packed>refused')
BEGIN
    SELECT RAISE(ABORT, 'transition is not allowed');
END;
-- +goose StatementEnd
