-- +goose Up

-- Codes that differ in case alone are one code: keys are named after it.
CREATE UNIQUE INDEX organisations_one_code ON organisations (lower(code));
