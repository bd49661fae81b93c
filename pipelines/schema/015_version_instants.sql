-- The instant by which a version is found, beside its text and its readings too: what a window needs is found without reading the
-- rest of the history, because rows lie in the order in which they came and DuckDB skips the parts of a table whose instants are
-- all others. Grain: one row per manifestation version; the same; per manifestation version, task, annotator, revision and taxonomy.

-- The date of the version where that is part of it; where it has none, or comes with another one at each visit ("hace 2 horas"),
-- when the version was first seen. The same in every row about one version. Null in rows that an earlier version of the program
-- wrote: whoever looks for a window looks among those without an instant too.
alter table manifestation add column version_at timestamptz;
alter table manifestation_text add column version_at timestamptz;
alter table annotation add column version_at timestamptz;
