-- +goose Up

-- Decisions about deposited records: legal holds and disposals, each in its present state. The arrows are those of
-- hub.KeepingState; what is held is not disposed of, and the other way round.
CREATE TABLE keepings (
    n        INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE CHECK (length(id) = 36),
    exchange TEXT    NOT NULL REFERENCES exchanges (id),
    kind     TEXT    NOT NULL CHECK (kind IN ('hold', 'disposal')),
    state    TEXT    NOT NULL,
    keeping  TEXT    NOT NULL CHECK (json_valid(keeping)),
    CHECK (kind = 'hold' AND state IN ('held', 'released')
        OR kind = 'disposal' AND state IN ('proposed', 'approved', 'declined', 'destroyed'))
) STRICT;
CREATE INDEX keepings_exchange ON keepings (exchange, n);
CREATE INDEX keepings_state ON keepings (kind, state, n);
CREATE UNIQUE INDEX keepings_once ON keepings (exchange) WHERE kind = 'disposal' AND state <> 'declined';
-- +goose StatementBegin
CREATE TRIGGER keepings_begin BEFORE INSERT ON keepings
WHEN NEW.state NOT IN ('held', 'proposed')
    OR EXISTS (SELECT 1 FROM keepings WHERE exchange = NEW.exchange AND state IN ('approved', 'destroyed'))
BEGIN
    SELECT RAISE(ABORT, 'a decision begins as held or proposed, and on what is not being disposed of');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER keepings_arrow BEFORE UPDATE ON keepings
WHEN OLD.state || '>' || NEW.state NOT IN (
        'held>released', 'proposed>approved', 'proposed>declined', 'approved>destroyed')
    OR NEW.id <> OLD.id OR NEW.exchange <> OLD.exchange OR NEW.kind <> OLD.kind
    OR NEW.state = 'approved' AND EXISTS (SELECT 1 FROM keepings WHERE exchange = NEW.exchange AND state = 'held')
BEGIN
    SELECT RAISE(ABORT, 'transition is not allowed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER keepings_kept BEFORE DELETE ON keepings
BEGIN
    SELECT RAISE(ABORT, 'a decision is kept');
END;
-- +goose StatementEnd

-- A disposed exchange has lost its envelope, and nothing else of it changes.
ALTER TABLE exchanges ADD COLUMN disposed TEXT NOT NULL DEFAULT '';
DROP TRIGGER exchanges_fixed;
-- +goose StatementBegin
CREATE TRIGGER exchanges_fixed BEFORE UPDATE OF id, sender, account, document_sm3, document_sha256, urgency,
    accepted_at, entry, envelope_sm3, size ON exchanges
BEGIN
    SELECT RAISE(ABORT, 'an accepted exchange does not change');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER exchanges_disposed BEFORE UPDATE OF envelope, disposed ON exchanges
WHEN OLD.disposed <> '' OR NEW.disposed = '' OR NEW.envelope IS NOT NULL
    OR NOT EXISTS (SELECT 1 FROM keepings WHERE exchange = OLD.id AND kind = 'disposal' AND state = 'destroyed')
BEGIN
    SELECT RAISE(ABORT, 'an envelope goes with the disposal of its record');
END;
-- +goose StatementEnd

-- The description of a disposed record is gone from the index; id, 档号, digests and the tombstone stay.
ALTER TABLE records ADD COLUMN disposed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_supplements ON entries (exchange, n) WHERE event = 'Supplement';

-- More kinds of jobs.
CREATE TABLE jobs_new (
    id       INTEGER PRIMARY KEY,
    kind     TEXT    NOT NULL CHECK (kind IN ('route', 'deliver', 'overdue', 'deposit', 'urge', 'escalate', 'check',
                     'supplement', 'dispose')),
    target   TEXT    NOT NULL CHECK (target <> ''),
    run_at   INTEGER NOT NULL,
    leased   INTEGER NOT NULL DEFAULT 0, -- until when a worker has it
    attempts INTEGER NOT NULL DEFAULT 0,
    why      TEXT    NOT NULL DEFAULT ''
) STRICT;
INSERT INTO jobs_new SELECT id, kind, target, run_at, leased, attempts, why FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_new RENAME TO jobs;
CREATE INDEX jobs_due ON jobs (run_at);
