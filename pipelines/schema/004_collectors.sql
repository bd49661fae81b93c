-- What collectors leave beside items. Grain: one row per source, key and batch that set it; the newest row of a key holds.

alter table source_health add column excluded_count bigint default 0; -- items and addresses that the list of exclusions names

create table source_memory (
    city         varchar not null,
    source_id    varchar not null,
    key          varchar not null,   -- validators of a document, or where the platform is to be read on
    value        varchar not null,
    batch_number bigint not null     -- committed with the items that it stands for
);
