-- +goose Up
-- What records are found by: see archive.Terms. The terms are made in Go, the tokenizer only parts them at spaces; nothing
-- of the text itself is kept here.
ALTER TABLE records ADD COLUMN issued_on TEXT NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
UPDATE records SET issued_on = coalesce(json_extract(record, '$.issued_on'), '');
CREATE INDEX records_unindexed ON records (n) WHERE indexed = 0;
CREATE VIRTUAL TABLE record_terms USING fts5 (
    title, text, single, facet, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
);
