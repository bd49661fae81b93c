-- Runs, batches and what was collected. Grain: one row per run, per batch, per source and batch, per manifestation version.
-- Nothing here is updated in place; there are no secondary indexes, because replaying them after a crash is fragile.

create table run (
    run_id           varchar not null,   -- names the run in every row that it made
    kind             varchar not null,   -- collect, annotate or report
    city             varchar not null,
    period_start     timestamptz,        -- inclusive
    period_end       timestamptz,        -- exclusive
    started_at       timestamptz not null,
    code_version     varchar not null,
    config_digest    varchar not null,   -- SHA-256 of the city's file, 16 hex characters
    taxonomy_version varchar not null,
    annotators       varchar not null    -- JSON: task -> annotator@revision
);

create table run_outcome (
    run_id      varchar not null,
    finished_at timestamptz not null,
    outcome     varchar not null,        -- ok, partial, failed or interrupted
    detail      varchar not null
);

create table batch (
    batch_number bigint not null,        -- 1, 2, 3 ... in the order of the commits
    run_id       varchar not null,
    city         varchar not null,
    source_id    varchar not null,
    spool        varchar not null,       -- folder below data/raw, then the source
    period_start timestamptz not null,
    period_end   timestamptz not null,
    observed_at  timestamptz not null,   -- the instant under which the batch is seen
    item_count   bigint not null,        -- items in the spool
    added_count  bigint not null,        -- new manifestations and new versions
    complete     boolean not null        -- false: the crawl ended before the source was read whole
);

create table source_health (
    batch_number       bigint not null,
    city               varchar not null,
    source_id          varchar not null,
    period_start       timestamptz not null,
    period_end         timestamptz not null,
    observed_at        timestamptz not null,
    status             varchar not null, -- ok, empty, partial, failed or not_collected
    reason             varchar not null,
    detail             varchar not null,
    request_count      bigint not null,
    byte_count         bigint not null,
    item_count         bigint not null,
    undated_count      bigint not null,
    skipped_count      bigint not null,
    first_published_at timestamptz,
    last_published_at  timestamptz,
    robots             varchar not null,
    cursor             varchar           -- committed with the items it stands for
);

create table manifestation (
    manifestation_id varchar not null,   -- identity within all cities; see collectors.items
    version          varchar not null,   -- digest of what an edit can change
    version_number   integer not null,   -- 1 for the first version seen
    city             varchar not null,
    source_id        varchar not null,
    channel          varchar not null,   -- online, attention_office or in_person
    kind             varchar not null,   -- manifestation, article or official
    native_id        varchar,
    url              varchar,
    parent_id        varchar,
    author_key       varchar,            -- keyed pseudonym within the source; null if unsigned
    published_at     timestamptz,        -- as the source claims; null if absent or not understood
    published_raw    varchar,
    modified_at      timestamptz,
    reactions        bigint,
    text_digest      varchar not null,   -- of the text folded for comparison
    text_length      integer not null,   -- characters
    first_seen_at    timestamptz not null,
    batch_number     bigint not null,
    batch_position   integer not null    -- order within the batch
);

create table manifestation_text (
    manifestation_id varchar not null,   -- apart from the rest, so that a text can be erased
    version          varchar not null,
    title            varchar,
    text             varchar not null
);
