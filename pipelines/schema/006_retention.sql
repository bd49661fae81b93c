-- What is no longer kept, and how it is told. Grain: one row per run, source, reason and day of publication.

create table erasure (
    run_id        varchar not null,
    city          varchar not null,
    source_id     varchar not null,
    reason        varchar not null,     -- retention: the text went, the item still counts; exclusion: the whole item went
    published_day date,                 -- in the city's zone; null for retention and for undated items
    applied_at    timestamptz not null,
    item_count    bigint not null,      -- items of every kind, each once whatever its versions
    message_count bigint not null       -- those of them that are a person's message
);

alter table manifestation add column erased_at timestamptz; -- null: its text is kept, or was never stored apart from it
alter table manifestation add column url_keys varchar[];    -- what stands for a link that names a person; see collectors.exclusions
alter table batch add column reread boolean default false;  -- true: read again from the raw archive, without asking the source
alter table source_health add column archived_byte_count bigint default 0; -- compressed, in data/raw/<city>/archive
