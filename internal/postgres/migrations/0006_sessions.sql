-- +goose Up

-- What tells the owner of an account which login a session is.
ALTER TABLE sessions
    ADD COLUMN created timestamptz,
    ADD COLUMN source text NOT NULL DEFAULT '',
    ADD COLUMN agent text NOT NULL DEFAULT '';
