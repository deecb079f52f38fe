-- +goose Up

-- One accepted submission. The envelope lies in the row when it is small (envelope
-- is the last column, so that reading the others does not touch it), else in the
-- blob store under envelope_sm3.
CREATE TABLE exchanges (
    n               INTEGER PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE CHECK (length(id) = 36),
    sender          TEXT    NOT NULL CHECK (sender <> ''),
    account         TEXT    NOT NULL CHECK (account <> ''),
    document_sm3    BLOB    NOT NULL CHECK (length(document_sm3) = 32),
    document_sha256 BLOB    NOT NULL CHECK (length(document_sha256) = 32),
    urgency         TEXT    NOT NULL CHECK (urgency IN ('normal', 'urgent', 'extra_urgent')),
    accepted_at     INTEGER NOT NULL CHECK (accepted_at > 0),
    entry           TEXT    NOT NULL CHECK (length(entry) = 36),
    last_entry      BLOB    NOT NULL CHECK (length(last_entry) = 32),
    last_time       INTEGER NOT NULL,
    deposited       TEXT    NOT NULL DEFAULT '',
    package         BLOB    NOT NULL DEFAULT x'',
    envelope_sm3    BLOB    NOT NULL CHECK (length(envelope_sm3) = 32),
    size            INTEGER NOT NULL CHECK (size > 0),
    envelope        BLOB    CHECK (envelope IS NULL OR length(envelope) = size),
    CHECK (last_time >= accepted_at),
    CHECK ((deposited = '') = (length(package) = 0)),
    CHECK (length(package) IN (0, 32))
) STRICT;
CREATE INDEX exchanges_outbox ON exchanges (sender, n);

-- +goose StatementBegin
CREATE TRIGGER exchanges_fixed BEFORE UPDATE OF id, sender, account, document_sm3, document_sha256, urgency,
    accepted_at, entry, envelope_sm3, size, envelope ON exchanges
BEGIN
    SELECT RAISE(ABORT, 'an accepted exchange does not change');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER exchanges_time BEFORE UPDATE OF last_time, deposited ON exchanges
WHEN NEW.last_time < OLD.last_time OR (OLD.deposited <> '' AND NEW.deposited <> OLD.deposited)
BEGIN
    SELECT RAISE(ABORT, 'evidence does not go back');
END;
-- +goose StatementEnd

-- One recipient's part. The states are those of package transport; the trigger
-- repeats its arrows, and a test compares all three.
CREATE TABLE deliveries (
    n           INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE CHECK (length(id) = 36),
    exchange    TEXT    NOT NULL REFERENCES exchanges (id),
    sender      TEXT    NOT NULL,
    recipient   TEXT    NOT NULL CHECK (recipient <> ''),
    role        TEXT    NOT NULL CHECK (role IN ('to', 'cc')),
    state       TEXT    NOT NULL CHECK (state IN ('accepted', 'routed', 'available', 'opened', 'acknowledged',
                    'archived', 'returned', 'return_acknowledged', 'rejected', 'withdrawn', 'failed')),
    due         INTEGER NOT NULL DEFAULT 0,
    overdue     INTEGER NOT NULL DEFAULT 0 CHECK (overdue IN (0, 1)),
    reminders   INTEGER NOT NULL DEFAULT 0 CHECK (reminders >= 0),
    reason      TEXT    NOT NULL DEFAULT '',
    comment     TEXT    NOT NULL DEFAULT '',
    sign_number TEXT    NOT NULL DEFAULT '',
    statement   BLOB    NOT NULL DEFAULT x'' CHECK (length(statement) IN (0, 32)),
    changed_at  INTEGER NOT NULL CHECK (changed_at > 0),
    UNIQUE (exchange, recipient),
    -- Every negative end has a reason code.
    CHECK (state NOT IN ('returned', 'return_acknowledged', 'rejected', 'failed') OR reason <> ''),
    -- What a party did itself rests on its own signed statement.
    CHECK (state NOT IN ('opened', 'acknowledged', 'archived', 'returned', 'return_acknowledged', 'withdrawn')
        OR length(statement) = 32),
    CHECK (overdue = 0 OR state NOT IN ('accepted', 'routed'))
) STRICT;
CREATE INDEX deliveries_inbox ON deliveries (recipient, n);

-- +goose StatementBegin
CREATE TRIGGER deliveries_begin BEFORE INSERT ON deliveries WHEN NEW.state <> 'accepted'
BEGIN
    SELECT RAISE(ABORT, 'a delivery begins as accepted');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_arrow BEFORE UPDATE OF state ON deliveries
WHEN OLD.state <> NEW.state AND OLD.state || '>' || NEW.state NOT IN (
    'accepted>routed', 'accepted>rejected', 'accepted>failed', 'accepted>withdrawn',
    'routed>available', 'routed>failed', 'routed>withdrawn',
    'available>opened', 'available>returned', 'available>withdrawn',
    'opened>acknowledged', 'opened>returned', 'opened>withdrawn',
    'returned>return_acknowledged',
    'acknowledged>archived')
BEGIN
    SELECT RAISE(ABORT, 'transition is not allowed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_fixed BEFORE UPDATE OF id, exchange, sender, recipient, role ON deliveries
BEGIN
    SELECT RAISE(ABORT, 'the parties of a delivery do not change');
END;
-- +goose StatementEnd

-- Evidence entries, append-only. With one writer and no deletion n runs from 1
-- without a gap, so that the log index n - 1 is durable with the entry itself.
CREATE TABLE entries (
    n         INTEGER PRIMARY KEY,
    id        TEXT    NOT NULL UNIQUE CHECK (length(id) = 36),
    exchange  TEXT    NOT NULL,
    sender    TEXT    NOT NULL,
    delivery  TEXT    NOT NULL DEFAULT '',
    recipient TEXT    NOT NULL DEFAULT '',
    event     TEXT    NOT NULL CHECK (event <> ''),
    at        INTEGER NOT NULL CHECK (at > 0),
    digest    BLOB    NOT NULL CHECK (length(digest) = 32),
    leaf      BLOB    NOT NULL CHECK (length(leaf) > 0),
    statement BLOB
) STRICT;
CREATE INDEX entries_exchange ON entries (exchange, n);

-- +goose StatementBegin
CREATE TRIGGER entries_next BEFORE INSERT ON entries
WHEN NEW.n IS NOT NULL AND NEW.n <> -1
BEGIN
    SELECT RAISE(ABORT, 'entries are numbered by the database');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entries_fixed BEFORE UPDATE ON entries
BEGIN
    SELECT RAISE(ABORT, 'evidence is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entries_kept BEFORE DELETE ON entries
BEGIN
    SELECT RAISE(ABORT, 'evidence is append-only');
END;
-- +goose StatementEnd

-- The published log. One row of log_head; a checkpoint per batch; a proof and then
-- the receipt per entry.
CREATE TABLE log_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    size INTEGER NOT NULL CHECK (size >= 0),
    note BLOB    NOT NULL
) STRICT;
INSERT INTO log_head (one, size, note) VALUES (1, 0, x'');
-- +goose StatementBegin
CREATE TRIGGER log_head_grows BEFORE UPDATE ON log_head WHEN NEW.size <= OLD.size
BEGIN
    SELECT RAISE(ABORT, 'the log only grows');
END;
-- +goose StatementEnd

CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY,
    note BLOB NOT NULL
) STRICT;

CREATE TABLE receipts (
    n     INTEGER PRIMARY KEY REFERENCES entries (n),
    size  INTEGER NOT NULL REFERENCES checkpoints (size),
    proof BLOB    NOT NULL,
    body  BLOB
) STRICT;
CREATE INDEX receipts_unbuilt ON receipts (n) WHERE body IS NULL;
-- +goose StatementBegin
CREATE TRIGGER receipts_fixed BEFORE UPDATE ON receipts
WHEN OLD.body IS NOT NULL OR NEW.n <> OLD.n OR NEW.size <> OLD.size OR NEW.proof <> OLD.proof
BEGIN
    SELECT RAISE(ABORT, 'a receipt is built once');
END;
-- +goose StatementEnd

-- A refused submission leaves this and its entry, and no content.
CREATE TABLE rejections (
    entry    TEXT    PRIMARY KEY CHECK (length(entry) = 36),
    sender   TEXT    NOT NULL,
    exchange TEXT    NOT NULL DEFAULT '',
    body     BLOB    NOT NULL CHECK (length(body) = 32),
    code     TEXT    NOT NULL CHECK (code <> ''),
    at       INTEGER NOT NULL,
    UNIQUE (sender, body, code)
) STRICT;

CREATE TABLE idempotency (
    org     TEXT    NOT NULL,
    key     TEXT    NOT NULL CHECK (key <> ''),
    request BLOB    NOT NULL CHECK (length(request) = 32),
    entry   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (org, key)
) STRICT, WITHOUT ROWID;

-- The outbox: work that a committed change calls for.
CREATE TABLE jobs (
    id       INTEGER PRIMARY KEY,
    kind     TEXT    NOT NULL CHECK (kind IN ('route', 'deliver', 'overdue', 'deposit')),
    target   TEXT    NOT NULL CHECK (target <> ''),
    run_at   INTEGER NOT NULL,
    leased   INTEGER NOT NULL DEFAULT 0, -- until when a worker has it
    attempts INTEGER NOT NULL DEFAULT 0,
    why      TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX jobs_due ON jobs (run_at);

-- Who did what, chained row to row.
CREATE TABLE audit (
    n       INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    account TEXT    NOT NULL,
    org     TEXT    NOT NULL,
    action  TEXT    NOT NULL CHECK (action <> ''),
    object  TEXT    NOT NULL,
    outcome TEXT    NOT NULL CHECK (outcome <> ''),
    detail  TEXT    NOT NULL,
    request TEXT    NOT NULL,
    hash    BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_kept BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
-- +goose StatementEnd
