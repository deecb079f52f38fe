-- +goose Up

-- Requests for new seals, from the asking to the registration or the refusal.
CREATE TABLE seal_requests (
    n       INTEGER PRIMARY KEY,
    id      TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    office  TEXT    NOT NULL CHECK (office <> ''),
    state   TEXT    NOT NULL CHECK (state IN ('requested', 'made', 'registered', 'declined')),
    request TEXT    NOT NULL CHECK (json_valid(request))
) STRICT;
CREATE INDEX seal_requests_office ON seal_requests (office, n);
-- +goose StatementBegin
CREATE TRIGGER seal_requests_arrow BEFORE UPDATE ON seal_requests
WHEN OLD.state || '>' || NEW.state NOT IN (
    'requested>made', 'requested>declined', 'made>registered', 'made>declined')
BEGIN
    SELECT RAISE(ABORT, 'transition is not allowed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER seal_requests_kept BEFORE DELETE ON seal_requests
BEGIN
    SELECT RAISE(ABORT, 'a request for a seal is kept');
END;
-- +goose StatementEnd
