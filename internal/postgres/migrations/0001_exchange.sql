-- +goose Up

-- Raises unless a statement changed exactly one row. Statements of one transaction travel
-- together, so it is the database that must stop the ones behind a stale one.
-- +goose StatementBegin
CREATE FUNCTION must_change_one(rows bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF rows <> 1 THEN
        RAISE EXCEPTION 'the row is not in the expected state' USING ERRCODE = 'YX001';
    END IF;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END $$;
-- +goose StatementEnd

CREATE TYPE urgency AS ENUM ('normal', 'urgent', 'extra_urgent');
CREATE TYPE delivery_role AS ENUM ('to', 'cc');
CREATE TYPE delivery_state AS ENUM ('accepted', 'routed', 'available', 'opened', 'acknowledged', 'archived',
    'returned', 'return_acknowledged', 'rejected', 'withdrawn', 'failed');

-- One accepted submission. The envelope lies in the row when it is small, else in the blob
-- store under envelope_sm3. Whoever changes anything of an exchange locks this row first.
CREATE TABLE exchanges (
    n               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              text        NOT NULL UNIQUE CHECK (length(id) = 36),
    sender          text        NOT NULL CHECK (sender <> ''),
    account         text        NOT NULL CHECK (account <> ''),
    document_sm3    bytea       NOT NULL CHECK (length(document_sm3) = 32),
    document_sha256 bytea       NOT NULL CHECK (length(document_sha256) = 32),
    urgency         urgency     NOT NULL,
    accepted_at     timestamptz NOT NULL,
    entry           text        NOT NULL CHECK (length(entry) = 36),
    last_entry      bytea       NOT NULL CHECK (length(last_entry) = 32),
    last_time       timestamptz NOT NULL,
    deposited       text        NOT NULL DEFAULT '',
    package         bytea       NOT NULL DEFAULT '',
    envelope_sm3    bytea       NOT NULL CHECK (length(envelope_sm3) = 32),
    size            bigint      NOT NULL CHECK (size > 0),
    envelope        bytea       CHECK (envelope IS NULL OR length(envelope) = size),
    CHECK (last_time >= accepted_at),
    CHECK ((deposited = '') = (length(package) = 0)),
    CHECK (length(package) IN (0, 32))
);
CREATE INDEX exchanges_outbox ON exchanges (sender, n);
-- What is encrypted does not compress.
ALTER TABLE exchanges ALTER COLUMN envelope SET STORAGE EXTERNAL;
CREATE TRIGGER exchanges_fixed BEFORE UPDATE OF id, sender, account, document_sm3, document_sha256, urgency,
    accepted_at, entry, envelope_sm3, size, envelope ON exchanges
    FOR EACH ROW EXECUTE FUNCTION refuse_change('an accepted exchange does not change');
CREATE TRIGGER exchanges_time BEFORE UPDATE OF last_time, deposited ON exchanges FOR EACH ROW
    WHEN (NEW.last_time < OLD.last_time OR (OLD.deposited <> '' AND NEW.deposited <> OLD.deposited))
    EXECUTE FUNCTION refuse_change('evidence does not go back');

-- One recipient's part. The states are those of package transport; the trigger repeats its
-- arrows, and a test compares all three.
CREATE TABLE deliveries (
    n           bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text           NOT NULL UNIQUE CHECK (length(id) = 36),
    exchange    text           NOT NULL REFERENCES exchanges (id),
    sender      text           NOT NULL,
    recipient   text           NOT NULL CHECK (recipient <> ''),
    role        delivery_role  NOT NULL,
    state       delivery_state NOT NULL,
    due         timestamptz,
    overdue     boolean        NOT NULL DEFAULT false,
    reminders   integer        NOT NULL DEFAULT 0 CHECK (reminders >= 0),
    reason      text           NOT NULL DEFAULT '',
    comment     text           NOT NULL DEFAULT '',
    sign_number text           NOT NULL DEFAULT '',
    statement   bytea          NOT NULL DEFAULT '' CHECK (length(statement) IN (0, 32)),
    changed_at  timestamptz    NOT NULL,
    UNIQUE (exchange, recipient),
    -- Every negative end has a reason code.
    CHECK (state NOT IN ('returned', 'return_acknowledged', 'rejected', 'failed') OR reason <> ''),
    -- What a party did itself rests on its own signed statement.
    CHECK (state NOT IN ('opened', 'acknowledged', 'archived', 'returned', 'return_acknowledged', 'withdrawn')
        OR length(statement) = 32),
    CHECK (NOT overdue OR state NOT IN ('accepted', 'routed'))
);
CREATE INDEX deliveries_inbox ON deliveries (recipient, n);
CREATE TRIGGER deliveries_begin BEFORE INSERT ON deliveries FOR EACH ROW WHEN (NEW.state <> 'accepted')
    EXECUTE FUNCTION refuse_change('a delivery begins as accepted');
CREATE TRIGGER deliveries_arrow BEFORE UPDATE OF state ON deliveries FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND OLD.state::text || '>' || NEW.state::text NOT IN (
        'accepted>routed', 'accepted>rejected', 'accepted>failed', 'accepted>withdrawn',
        'routed>available', 'routed>failed', 'routed>withdrawn',
        'available>opened', 'available>returned', 'available>withdrawn',
        'opened>acknowledged', 'opened>returned', 'opened>withdrawn',
        'returned>return_acknowledged',
        'acknowledged>archived'))
    EXECUTE FUNCTION refuse_change('transition is not allowed');
CREATE TRIGGER deliveries_fixed BEFORE UPDATE OF id, exchange, sender, recipient, role ON deliveries
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the parties of a delivery do not change');

-- Evidence entries, append-only. k only keeps them apart and roughly in order; the place in
-- the log is given afterwards, by one sequencer at a time (table places).
CREATE TABLE entries (
    k         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        text        NOT NULL UNIQUE CHECK (length(id) = 36),
    exchange  text        NOT NULL,
    sender    text        NOT NULL,
    delivery  text        NOT NULL DEFAULT '',
    recipient text        NOT NULL DEFAULT '',
    event     text        NOT NULL CHECK (event <> ''),
    at        timestamptz NOT NULL,
    digest    bytea       NOT NULL CHECK (length(digest) = 32),
    leaf      bytea       NOT NULL CHECK (length(leaf) > 0),
    statement bytea
);
CREATE INDEX entries_exchange ON entries (exchange, k);
CREATE TRIGGER entries_fixed BEFORE UPDATE OR DELETE ON entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change('evidence is append-only');
CREATE TRIGGER entries_kept BEFORE TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('evidence is append-only');

-- Entries that have no place in the log yet. A narrow table, emptied all the time.
CREATE TABLE unplaced (
    k bigint PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
-- +goose StatementBegin
CREATE FUNCTION queue_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unplaced (k) VALUES (NEW.k);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entries_queue AFTER INSERT ON entries FOR EACH ROW EXECUTE FUNCTION queue_entry();

-- The published log. One row of log_head, which is also the lock of whoever gives places;
-- a checkpoint per batch; the place of each entry, later with its proof and its receipt.
CREATE TABLE log_head (
    one  boolean PRIMARY KEY CHECK (one),
    size bigint  NOT NULL CHECK (size >= 0),
    note bytea   NOT NULL
);
INSERT INTO log_head (one, size, note) VALUES (true, 0, '');
CREATE TRIGGER log_head_grows BEFORE UPDATE ON log_head FOR EACH ROW WHEN (NEW.size <= OLD.size)
    EXECUTE FUNCTION refuse_change('the log only grows');

CREATE TABLE checkpoints (
    size bigint PRIMARY KEY,
    note bytea  NOT NULL
);

CREATE TABLE places (
    n     bigint PRIMARY KEY CHECK (n >= 0),
    k     bigint NOT NULL UNIQUE REFERENCES entries (k),
    size  bigint REFERENCES checkpoints (size),
    proof bytea,
    body  bytea,
    CHECK ((size IS NULL) = (proof IS NULL)),
    CHECK (body IS NULL OR (size IS NOT NULL AND size > n))
);
CREATE INDEX places_unbuilt ON places (n) WHERE body IS NULL;
CREATE TRIGGER places_fixed BEFORE UPDATE ON places FOR EACH ROW
    WHEN (NEW.n <> OLD.n OR NEW.k <> OLD.k OR OLD.body IS NOT NULL
        OR (OLD.size IS NOT NULL AND (NEW.size IS DISTINCT FROM OLD.size OR NEW.proof IS DISTINCT FROM OLD.proof)))
    EXECUTE FUNCTION refuse_change('a place in the log is for ever, and a receipt is built once');
CREATE TRIGGER places_kept BEFORE DELETE ON places
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a place in the log is for ever');

-- Stores a receipt once: the same bytes again are fine, others are not.
-- +goose StatementBegin
CREATE FUNCTION save_receipt(entry text, receipt bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    have bytea;
BEGIN
    UPDATE places p SET body = receipt FROM entries e
        WHERE e.id = entry AND p.k = e.k AND p.size IS NOT NULL AND p.body IS NULL;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT p.body INTO have FROM places p JOIN entries e ON e.k = p.k WHERE e.id = entry;
    IF have IS NULL THEN
        RAISE EXCEPTION 'entry % has no proof yet', entry;
    ELSIF have <> receipt THEN
        RAISE EXCEPTION 'entry % has another receipt', entry USING ERRCODE = 'YX002';
    END IF;
END $$;
-- +goose StatementEnd

-- A refused submission leaves this and its entry, and no content.
CREATE TABLE rejections (
    entry    text        PRIMARY KEY CHECK (length(entry) = 36),
    sender   text        NOT NULL,
    exchange text        NOT NULL DEFAULT '',
    body     bytea       NOT NULL CHECK (length(body) = 32),
    code     text        NOT NULL CHECK (code <> ''),
    at       timestamptz NOT NULL,
    UNIQUE (sender, body, code)
);

CREATE TABLE idempotency (
    org     text        NOT NULL,
    key     text        NOT NULL CHECK (key <> ''),
    request bytea       NOT NULL CHECK (length(request) = 32),
    entry   text        NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (org, key)
);

-- The outbox: work that a committed change calls for.
CREATE TABLE jobs (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind     text        NOT NULL CHECK (kind IN ('route', 'deliver', 'overdue', 'deposit')),
    target   text        NOT NULL CHECK (target <> ''),
    run_at   timestamptz NOT NULL,
    leased   timestamptz NOT NULL DEFAULT 'epoch', -- until when a worker has it
    attempts integer     NOT NULL DEFAULT 0,
    why      text        NOT NULL DEFAULT ''
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX jobs_due ON jobs (run_at, id);

-- Who did what. Each connection that writes has a lane of its own, so that nobody waits for
-- another's commit; the rows of a lane are chained one to the next. The primary key lets only
-- one of two writers continue a lane.
CREATE TABLE audit (
    lane    integer     NOT NULL CHECK (lane >= 0),
    n       bigint      NOT NULL CHECK (n > 0),
    k       bigint      GENERATED ALWAYS AS IDENTITY UNIQUE, -- roughly in the order of writing, for lists
    at      timestamptz NOT NULL,
    account text        NOT NULL,
    org     text        NOT NULL,
    action  text        NOT NULL CHECK (action <> ''),
    object  text        NOT NULL,
    outcome text        NOT NULL CHECK (outcome <> ''),
    detail  text        NOT NULL,
    request text        NOT NULL,
    hash    bytea       NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (lane, n)
);
CREATE TRIGGER audit_fixed BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the audit is append-only');
CREATE TRIGGER audit_kept BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('the audit is append-only');
