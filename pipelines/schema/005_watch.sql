-- What watching the sources keeps. Grain: one row per batch of a source; one row per change in whether an item is still shown.

create table source_watch (
    batch_number bigint not null,
    city         varchar not null,
    source_id    varchar not null,
    period_start timestamptz not null,
    period_end   timestamptz not null,
    observed_at  timestamptz not null,
    verdict      varchar not null,           -- none, quiet, degraded, drift or flood: the source against its own past
    about        varchar not null            -- what of it; empty without a verdict
);

create table manifestation_absence (
    manifestation_id varchar not null,
    city             varchar not null,
    source_id        varchar not null,
    batch_number     bigint not null,
    observed_at      timestamptz not null,
    misses           integer not null    -- whole collections in a row that did not give it: 1, then 2 (gone), or 0 (it is back)
);

alter table report add column gone_count bigint default 0;            -- counted manifestations that the source no longer shows

alter table report_source add column verdict varchar default 'none'; -- null for a source that was not asked
alter table report_source add column verdict_about varchar;           -- volume, overdue, text_share, text_length, same_text or the field that drifted
alter table report_source add column watched_count bigint;            -- items that the verdict is about
alter table report_source add column expected_low bigint;             -- of the days of the window that had passed
alter table report_source add column expected_high bigint;
alter table report_source add column expected_from varchar;           -- history, city or none
alter table report_source add column last_item_on date;               -- the day of the newest item, in the city's zone
alter table report_source add column silent_days bigint;              -- days from it to the last day of the window that had passed
alter table report_source add column usual_gap_days bigint;           -- the longest gap between two days with items, before the window
