-- Which steps this schema has had: one row for each, appended when it was applied.
CREATE SCHEMA IF NOT EXISTS cj;

CREATE TABLE IF NOT EXISTS cj.schema_version (version integer NOT NULL, name text NOT NULL, applied_at timestamp with time zone NOT NULL);
