-- +goose Up

-- Decisions about deposited records: legal holds and disposals, each in its present state. The arrows are those of
-- hub.KeepingState; what is held is not disposed of, and the other way round.
CREATE TABLE keepings (
    n        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text   NOT NULL UNIQUE CHECK (length(id) = 36),
    exchange text   NOT NULL REFERENCES exchanges (id),
    kind     text   NOT NULL CHECK (kind IN ('hold', 'disposal')),
    state    text   NOT NULL,
    keeping  json   NOT NULL,
    CHECK (kind = 'hold' AND state IN ('held', 'released')
        OR kind = 'disposal' AND state IN ('proposed', 'approved', 'declined', 'destroyed'))
);
CREATE INDEX keepings_exchange ON keepings (exchange, n);
CREATE INDEX keepings_state ON keepings (kind, state, n);
CREATE UNIQUE INDEX keepings_once ON keepings (exchange) WHERE kind = 'disposal' AND state <> 'declined';
-- +goose StatementBegin
CREATE FUNCTION refuse_keeping() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND (NEW.state NOT IN ('held', 'proposed')
        OR EXISTS (SELECT 1 FROM keepings WHERE exchange = NEW.exchange AND state IN ('approved', 'destroyed')))
    THEN
        RAISE EXCEPTION 'a decision begins as held or proposed, and on what is not being disposed of';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.state || '>' || NEW.state NOT IN (
            'held>released', 'proposed>approved', 'proposed>declined', 'approved>destroyed')
        OR NEW.id <> OLD.id OR NEW.exchange <> OLD.exchange OR NEW.kind <> OLD.kind
        OR NEW.state = 'approved' AND EXISTS (SELECT 1 FROM keepings WHERE exchange = NEW.exchange AND state = 'held'))
    THEN
        RAISE EXCEPTION 'transition is not allowed';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER keepings_arrow BEFORE INSERT OR UPDATE ON keepings FOR EACH ROW EXECUTE FUNCTION refuse_keeping();
CREATE TRIGGER keepings_kept BEFORE DELETE ON keepings
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a decision is kept');

-- A disposed exchange has lost its envelope, and nothing else of it changes.
ALTER TABLE exchanges ADD COLUMN disposed text NOT NULL DEFAULT '';
DROP TRIGGER exchanges_fixed ON exchanges;
CREATE TRIGGER exchanges_fixed BEFORE UPDATE OF id, sender, account, document_sm3, document_sha256, urgency,
    accepted_at, entry, envelope_sm3, size ON exchanges
    FOR EACH ROW EXECUTE FUNCTION refuse_change('an accepted exchange does not change');
-- +goose StatementBegin
CREATE FUNCTION refuse_disposal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.disposed <> '' OR NEW.disposed = '' OR NEW.envelope IS NOT NULL
        OR NOT EXISTS (SELECT 1 FROM keepings WHERE exchange = OLD.id AND kind = 'disposal' AND state = 'destroyed')
    THEN
        RAISE EXCEPTION 'an envelope goes with the disposal of its record';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER exchanges_disposed BEFORE UPDATE OF envelope, disposed ON exchanges
    FOR EACH ROW EXECUTE FUNCTION refuse_disposal();

-- The description of a disposed record is gone from the index; id, 档号, digests and the tombstone stay.
ALTER TABLE records ADD COLUMN disposed boolean NOT NULL DEFAULT false;
CREATE INDEX entries_supplements ON entries (exchange, k) WHERE event = 'Supplement';

ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check,
    ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('route', 'deliver', 'overdue', 'deposit', 'urge', 'escalate', 'check',
        'supplement', 'dispose'));
