-- +goose Up

-- A withdrawal after the hand-over is a request and moves nothing.
DROP TRIGGER deliveries_arrow;
-- +goose StatementBegin
CREATE TRIGGER deliveries_arrow BEFORE UPDATE OF state ON deliveries
WHEN OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN (
    'accepted>routed', 'accepted>rejected', 'accepted>failed', 'accepted>withdrawn',
    'routed>available', 'routed>failed', 'routed>withdrawn',
    'available>opened', 'available>returned', 'available>withdrawn',
    'opened>acknowledged', 'opened>returned',
    'returned>return_acknowledged',
    'acknowledged>archived')
BEGIN
    SELECT RAISE(ABORT, 'transition is not allowed');
END;
-- +goose StatementEnd

ALTER TABLE deliveries ADD COLUMN copies INTEGER NOT NULL DEFAULT 0 CHECK (copies BETWEEN 0 AND 999999);
ALTER TABLE deliveries ADD COLUMN withdrawal_requested INTEGER NOT NULL DEFAULT 0 CHECK (withdrawal_requested IN (0, 1));
ALTER TABLE deliveries ADD COLUMN escalated INTEGER NOT NULL DEFAULT 0 CHECK (escalated IN (0, 1));
-- +goose StatementBegin
CREATE TRIGGER deliveries_marks BEFORE UPDATE ON deliveries
WHEN NEW.copies <> OLD.copies OR NEW.overdue < OLD.overdue OR NEW.escalated < OLD.escalated OR NEW.reminders < OLD.reminders
    OR NEW.withdrawal_requested < OLD.withdrawal_requested
BEGIN
    SELECT RAISE(ABORT, 'a mark is not taken away');
END;
-- +goose StatementEnd

ALTER TABLE exchanges ADD COLUMN refers_kind TEXT NOT NULL DEFAULT ''
    CHECK (refers_kind IN ('', 'reissue', 'correction', 'annulment'));
ALTER TABLE exchanges ADD COLUMN refers TEXT NOT NULL DEFAULT '' CHECK ((refers = '') = (refers_kind = ''));
ALTER TABLE exchanges ADD COLUMN superseded_kind TEXT NOT NULL DEFAULT ''
    CHECK (superseded_kind IN ('', 'correction', 'annulment'));
ALTER TABLE exchanges ADD COLUMN superseded TEXT NOT NULL DEFAULT '' CHECK ((superseded = '') = (superseded_kind = ''));
ALTER TABLE exchanges ADD COLUMN checked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE exchanges ADD COLUMN unchecked INTEGER NOT NULL DEFAULT 0 CHECK (unchecked IN (0, 1));
CREATE INDEX exchanges_refers ON exchanges (refers, n) WHERE refers <> '';
-- +goose StatementBegin
CREATE TRIGGER exchanges_marks BEFORE UPDATE ON exchanges
WHEN NEW.refers <> OLD.refers OR NEW.refers_kind <> OLD.refers_kind OR OLD.superseded <> '' AND NEW.superseded <> OLD.superseded
    OR OLD.checked > 0 AND NEW.checked <> OLD.checked OR NEW.unchecked < OLD.unchecked
BEGIN
    SELECT RAISE(ABORT, 'a mark is not taken away');
END;
-- +goose StatementEnd

-- Numbered copies for printing. A number is used once; a spoilt copy is voided and stays.
CREATE TABLE copies (
    delivery TEXT    NOT NULL REFERENCES deliveries (id),
    number   INTEGER NOT NULL CHECK (number BETWEEN 1 AND 999999),
    kind     TEXT    NOT NULL CHECK (kind IN ('official', 'reference')),
    voided   INTEGER NOT NULL DEFAULT 0 CHECK (voided IN (0, 1)),
    account  TEXT    NOT NULL CHECK (account <> ''),
    at       INTEGER NOT NULL CHECK (at > 0),
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;
-- +goose StatementBegin
CREATE TRIGGER copies_allowed BEFORE INSERT ON copies
WHEN NEW.kind = 'official' AND (SELECT count(*) FROM copies WHERE delivery = NEW.delivery AND kind = 'official' AND voided = 0)
    >= (SELECT copies FROM deliveries WHERE id = NEW.delivery)
BEGIN
    SELECT RAISE(ABORT, 'no more official copies are allowed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER copies_fixed BEFORE UPDATE ON copies
WHEN OLD.voided = 1 OR NEW.delivery <> OLD.delivery OR NEW.number <> OLD.number OR NEW.kind <> OLD.kind
    OR NEW.account <> OLD.account OR NEW.at <> OLD.at
BEGIN
    SELECT RAISE(ABORT, 'a copy is voided once and not changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER copies_kept BEFORE DELETE ON copies
BEGIN
    SELECT RAISE(ABORT, 'a copy is not forgotten');
END;
-- +goose StatementEnd

-- More kinds of jobs.
CREATE TABLE jobs_new (
    id       INTEGER PRIMARY KEY,
    kind     TEXT    NOT NULL CHECK (kind IN ('route', 'deliver', 'overdue', 'deposit', 'urge', 'escalate', 'check')),
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
