-- The date of a version beside its text and its readings, so that what a window needs is found without reading the rest of the
-- history: rows lie in the order in which they came, and DuckDB skips the parts of a table whose dates are all others.
-- Grain: one row per manifestation version; per manifestation version, task, annotator, revision and taxonomy.

-- Null says nothing about the date: the version has none, it may come with another one ("hace 2 horas"), or an earlier version of
-- the program wrote the row. Whoever looks for a window must look among the rows without a date too.
alter table manifestation_text add column published_at timestamptz;
alter table annotation add column published_at timestamptz;
