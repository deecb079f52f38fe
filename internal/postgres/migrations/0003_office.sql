-- +goose Up

-- Registered seals. The record is written once; its history is a table of its own that only grows.
CREATE TABLE seals (
    n      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id     text   NOT NULL UNIQUE CHECK (id <> ''),
    office text   NOT NULL CHECK (office <> ''),
    record json   NOT NULL
);
CREATE INDEX seals_office ON seals (office, n);
CREATE TRIGGER seals_fixed BEFORE UPDATE OF id, office, record ON seals
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a registered seal does not change');

CREATE TABLE seal_changes (
    n      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seal   text        NOT NULL REFERENCES seals (id),
    status text        NOT NULL CHECK (status IN ('active', 'suspended', 'voided')),
    at     timestamptz NOT NULL,
    by     text        NOT NULL,
    reason text        NOT NULL DEFAULT ''
);
CREATE INDEX seal_changes_seal ON seal_changes (seal, n);
CREATE TRIGGER seal_changes_fixed BEFORE UPDATE OR DELETE ON seal_changes
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the history of a seal only grows');

-- Every use of a seal; an approval is good for one use.
CREATE TABLE seal_uses (
    n        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text   NOT NULL UNIQUE CHECK (id <> ''),
    seal     text   NOT NULL REFERENCES seals (id),
    approval text   NOT NULL CHECK (approval <> ''),
    used     json   NOT NULL
);
CREATE INDEX seal_uses_seal ON seal_uses (seal, n);
CREATE UNIQUE INDEX seal_uses_approval ON seal_uses (approval) WHERE approval <> 'none';
CREATE TRIGGER seal_uses_fixed BEFORE UPDATE OR DELETE ON seal_uses
    FOR EACH ROW EXECUTE FUNCTION refuse_change('the use of a seal is recorded once');

-- Documents on their way out of an office, before the hub knows of them.
CREATE TABLE dispatches (
    n        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text   NOT NULL UNIQUE CHECK (id <> ''),
    office   text   NOT NULL CHECK (office <> ''),
    state    text   NOT NULL CHECK (state IN ('pending', 'approved', 'packed', 'sent', 'declined', 'refused')),
    dispatch json   NOT NULL
);
CREATE INDEX dispatches_office ON dispatches (office, n);
CREATE INDEX dispatches_open ON dispatches (state, n) WHERE state IN ('approved', 'packed');
CREATE TRIGGER dispatches_arrow BEFORE UPDATE OF state ON dispatches FOR EACH ROW
    WHEN (OLD.state || '>' || NEW.state NOT IN (
        'pending>approved', 'pending>declined', 'approved>packed', 'packed>sent', 'packed>refused'))
    EXECUTE FUNCTION refuse_change('transition is not allowed');
