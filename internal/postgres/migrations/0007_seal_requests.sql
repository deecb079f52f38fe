-- +goose Up

-- Requests for new seals, from the asking to the registration or the refusal.
CREATE TABLE seal_requests (
    n       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id      text   NOT NULL UNIQUE CHECK (id <> ''),
    office  text   NOT NULL CHECK (office <> ''),
    state   text   NOT NULL CHECK (state IN ('requested', 'made', 'registered', 'declined')),
    request json   NOT NULL
);
CREATE INDEX seal_requests_office ON seal_requests (office, n);
CREATE TRIGGER seal_requests_arrow BEFORE UPDATE ON seal_requests FOR EACH ROW
    WHEN (OLD.state || '>' || NEW.state NOT IN (
        'requested>made', 'requested>declined', 'made>registered', 'made>declined'))
    EXECUTE FUNCTION refuse_change('transition is not allowed');
CREATE TRIGGER seal_requests_kept BEFORE DELETE ON seal_requests
    FOR EACH ROW EXECUTE FUNCTION refuse_change('a request for a seal is kept');
