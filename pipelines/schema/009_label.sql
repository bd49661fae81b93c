-- Samples that people label, and what they said. Grain: one row per sample; per drawn message; labels are in table `label`.

create table label_sample (              -- the gold sample of one window and channel of a city, drawn at random
    sample_id        varchar not null,
    city             varchar not null,
    channel          varchar not null,
    period_start     timestamptz not null,
    period_end       timestamptz not null,
    seen_until       timestamptz not null, -- the messages were drawn among those counted as seen at this instant
    design           varchar not null,   -- simple: all alike; stratified: by stratum
    seed             bigint,             -- null where the sample was drawn elsewhere
    population_count bigint not null,    -- counted manifestations that the sample was drawn from
    drawn_count      bigint not null,
    taxonomy_version varchar not null,   -- whose categories the labels name
    annotators       varchar not null,   -- JSON: task -> annotator@revision, whose readings made the strata
    run_id           varchar not null
);

create table label_sample_item (         -- one row per sample and message
    sample_id        varchar not null,
    manifestation_id varchar not null,
    version          varchar not null,
    position         integer not null,   -- 1, 2, 3 ... in the order in which people see them
    source_id        varchar not null,
    stratum          varchar not null,   -- what it was drawn as: source and category as read; 'all' in a simple sample
    stratum_count    bigint not null,    -- counted manifestations of the stratum
    stratum_drawn    bigint not null     -- those drawn of them: a message stands for stratum_count / stratum_drawn
);

-- label.labeller is A, B ..., or `final` for what two settled where they differed. A later row of the same sample, message,
-- task and labeller corrects an earlier one; import_number tells which is later, 1, 2, 3 ... within a sample.
alter table label add column import_number integer default 1;
