-- Threads that a walk has read whole before its budget or a kill cut it off. Grain: one row per source, window, thread and batch.

create table source_frontier (
    city         varchar not null,
    source_id    varchar not null,
    period_start timestamptz not null,
    period_end   timestamptz not null,
    place        varchar not null,   -- digest of the thread's address
    found        varchar not null,   -- JSON: counts and dates of what it held, never a text
    observed_at  timestamptz not null,
    batch_number bigint not null     -- committed with the items of the thread
);
