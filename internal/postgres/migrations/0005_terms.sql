-- +goose Up
-- What records are found by: see archive.Terms. The terms are made in Go.
ALTER TABLE records ADD COLUMN issued_on text NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN terms tsvector;
UPDATE records SET issued_on = coalesce(record->>'issued_on', '');
CREATE INDEX records_terms ON records USING gin (terms) WITH (fastupdate = off);
CREATE INDEX records_unindexed ON records (n) WHERE terms IS NULL;
