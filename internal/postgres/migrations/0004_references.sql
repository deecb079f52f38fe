-- +goose Up

-- A withdrawal after the hand-over is a request and moves nothing.
DROP TRIGGER deliveries_arrow ON deliveries;
CREATE TRIGGER deliveries_arrow BEFORE UPDATE OF state ON deliveries FOR EACH ROW
    WHEN (OLD.state <> NEW.state AND OLD.state::text || '>' || NEW.state::text NOT IN (
        'accepted>routed', 'accepted>rejected', 'accepted>failed', 'accepted>withdrawn',
        'routed>available', 'routed>failed', 'routed>withdrawn',
        'available>opened', 'available>returned', 'available>withdrawn',
        'opened>acknowledged', 'opened>returned',
        'returned>return_acknowledged',
        'acknowledged>archived'))
    EXECUTE FUNCTION refuse_change('transition is not allowed');

ALTER TABLE deliveries
    ADD COLUMN copies integer NOT NULL DEFAULT 0 CHECK (copies BETWEEN 0 AND 999999),
    ADD COLUMN withdrawal_requested boolean NOT NULL DEFAULT false,
    ADD COLUMN escalated boolean NOT NULL DEFAULT false;
CREATE TRIGGER deliveries_marks BEFORE UPDATE ON deliveries FOR EACH ROW
    WHEN (NEW.copies <> OLD.copies OR NEW.overdue < OLD.overdue OR NEW.escalated < OLD.escalated OR NEW.reminders < OLD.reminders
        OR NEW.withdrawal_requested < OLD.withdrawal_requested)
    EXECUTE FUNCTION refuse_change('a mark is not taken away');

ALTER TABLE exchanges
    ADD COLUMN refers_kind text NOT NULL DEFAULT '' CHECK (refers_kind IN ('', 'reissue', 'correction', 'annulment')),
    ADD COLUMN refers text NOT NULL DEFAULT '',
    ADD COLUMN superseded_kind text NOT NULL DEFAULT '' CHECK (superseded_kind IN ('', 'correction', 'annulment')),
    ADD COLUMN superseded text NOT NULL DEFAULT '',
    ADD COLUMN checked timestamptz,
    ADD COLUMN unchecked boolean NOT NULL DEFAULT false,
    ADD CHECK ((refers = '') = (refers_kind = '')),
    ADD CHECK ((superseded = '') = (superseded_kind = ''));
CREATE INDEX exchanges_refers ON exchanges (refers, n) WHERE refers <> '';
CREATE TRIGGER exchanges_marks BEFORE UPDATE ON exchanges FOR EACH ROW
    WHEN (NEW.refers <> OLD.refers OR NEW.refers_kind <> OLD.refers_kind OR OLD.superseded <> '' AND NEW.superseded <> OLD.superseded
        OR OLD.checked IS NOT NULL AND NEW.checked IS DISTINCT FROM OLD.checked OR NEW.unchecked < OLD.unchecked)
    EXECUTE FUNCTION refuse_change('a mark is not taken away');

-- Numbered copies for printing. A number is used once; a spoilt copy is voided and stays.
CREATE TABLE copies (
    delivery text        NOT NULL REFERENCES deliveries (id),
    number   integer     NOT NULL CHECK (number BETWEEN 1 AND 999999),
    kind     text        NOT NULL CHECK (kind IN ('official', 'reference')),
    voided   boolean     NOT NULL DEFAULT false,
    account  text        NOT NULL CHECK (account <> ''),
    at       timestamptz NOT NULL,
    PRIMARY KEY (delivery, number)
);
-- +goose StatementBegin
CREATE FUNCTION refuse_copy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM copies WHERE delivery = NEW.delivery AND kind = 'official' AND NOT voided)
        >= (SELECT copies FROM deliveries WHERE id = NEW.delivery)
    THEN
        RAISE EXCEPTION 'no more official copies are allowed';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER copies_allowed BEFORE INSERT ON copies FOR EACH ROW WHEN (NEW.kind = 'official') EXECUTE FUNCTION refuse_copy();
CREATE TRIGGER copies_fixed BEFORE UPDATE ON copies FOR EACH ROW
    WHEN (OLD.voided OR NEW.delivery <> OLD.delivery OR NEW.number <> OLD.number OR NEW.kind <> OLD.kind
        OR NEW.account <> OLD.account OR NEW.at <> OLD.at)
    EXECUTE FUNCTION refuse_change('a copy is voided once and not changed');
CREATE TRIGGER copies_kept BEFORE DELETE ON copies
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a copy is not forgotten');

ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check,
    ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('route', 'deliver', 'overdue', 'deposit', 'urge', 'escalate', 'check'));
