-- +goose Up

-- Envelopes that come in pieces, with how much of them is durable and the state of their SM3. A row promises nothing that is
-- not in the blob store yet; version counts its writes, so that of two hubs that go on with one upload one gets its way.
CREATE TABLE uploads (
    id       text        PRIMARY KEY CHECK (length(id) = 36),
    office   text        NOT NULL CHECK (office <> ''),
    account  text        NOT NULL CHECK (account <> ''),
    key      text        NOT NULL CHECK (key <> ''),
    length   bigint      NOT NULL CHECK (length > 0),
    received bigint      NOT NULL CHECK (received BETWEEN 0 AND length),
    state    bytea       NOT NULL CHECK (octet_length(state) > 0),
    mark     text        NOT NULL,
    outcome  text        NOT NULL CHECK (outcome = '' OR received = length),
    at       timestamptz NOT NULL,
    expires  timestamptz NOT NULL CHECK (expires >= at),
    version  bigint      NOT NULL CHECK (version > 0),
    UNIQUE (office, key)
);
CREATE INDEX uploads_expires ON uploads (expires);
CREATE TRIGGER uploads_fixed BEFORE UPDATE ON uploads FOR EACH ROW
    WHEN (NEW.id <> OLD.id OR NEW.office <> OLD.office OR NEW.account <> OLD.account OR NEW.key <> OLD.key
        OR NEW.length <> OLD.length OR NEW.version <> OLD.version + 1 OR OLD.outcome <> '' AND NEW.outcome <> OLD.outcome)
    EXECUTE FUNCTION refuse_change('an upload does not change what it was begun as');
