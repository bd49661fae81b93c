-- Report tables. Grain: named beside each; every row belongs to one report_id, which is the digest of the report's inputs.
-- Shares are of the counted manifestations of the channel. They are uncorrected (corrected = false, low and high null) until
-- human labels correct them.

create table report (                    -- one row per report and channel
    report_id           varchar not null,
    report_number       bigint not null, -- 1, 2, 3 ... in the order in which the reports of the warehouse were made
    city                varchar not null,
    channel             varchar not null,
    period_start        timestamptz not null,
    period_end          timestamptz not null,
    seen_until          timestamptz not null,
    collected_count     bigint not null, -- items of the window, of every kind
    manifestation_count bigint not null, -- those that count
    distinct_text_count bigint not null,
    voice_count         bigint not null, -- distinct signed authors, within their source
    unsigned_count      bigint not null, -- counted manifestations without an author
    source_planned_count bigint not null,
    source_alive_count  bigint not null,
    late_count          bigint not null, -- counted now and not yet seen at amends_seen_until
    amends_report_id    varchar,         -- the last report of the same window with an earlier seen_until
    amends_seen_until   timestamptz,
    issued              boolean not null, -- false: a look back, made when more had been seen already
    synthetic           boolean not null,
    taxonomy_version    varchar not null,
    annotators          varchar not null, -- JSON: task -> annotator@revision
    data_digest         varchar not null,
    code_digest         varchar not null
);

create table report_category (           -- one row per report, channel and category (all of them, zero included, and unclassified)
    report_id           varchar not null,
    channel             varchar not null,
    category_id         varchar not null,
    position            integer not null,
    manifestation_count bigint not null,
    manifestation_share double,
    manifestation_low   double,
    manifestation_high  double,
    corrected           boolean not null
);

create table report_sentiment (          -- one row per report, channel and sentiment
    report_id           varchar not null,
    channel             varchar not null,
    sentiment           varchar not null,
    position            integer not null,
    manifestation_count bigint not null,
    manifestation_share double,
    manifestation_low   double,
    manifestation_high  double,
    corrected           boolean not null
);

create table report_category_sentiment ( -- one row per report, channel, category and sentiment; share is of the category
    report_id           varchar not null,
    channel             varchar not null,
    category_id         varchar not null,
    sentiment           varchar not null,
    manifestation_count bigint not null,
    manifestation_share double,
    manifestation_low   double,
    manifestation_high  double,
    corrected           boolean not null
);

create table report_day (                -- one row per report, channel and day of the window, in the city's zone
    report_id           varchar not null,
    channel             varchar not null,
    day                 date not null,
    manifestation_count bigint not null,
    pos_count           bigint not null,
    neu_count           bigint not null,
    neg_count           bigint not null
);

create table report_issue (              -- one row per report, channel, category and issue that was read at least once
    report_id           varchar not null,
    channel             varchar not null,
    category_id         varchar not null,
    issue_id            varchar not null, -- category.issue
    manifestation_count bigint not null,
    manifestation_share double,          -- of the category
    manifestation_low   double,
    manifestation_high  double,
    corrected           boolean not null
);

create table report_rollup (             -- one row per report, channel and roll-up of the taxonomy
    report_id           varchar not null,
    channel             varchar not null,
    rollup_id           varchar not null,
    manifestation_count bigint not null,
    manifestation_share double,
    manifestation_low   double,
    manifestation_high  double,
    corrected           boolean not null
);

create table report_source (             -- one row per report and source of the city, also those that gave nothing
    report_id           varchar not null,
    channel             varchar not null,
    source_id           varchar not null,
    position            integer not null,
    publisher           varchar not null,
    publisher_kind      varchar not null,
    official            boolean not null,
    platform            varchar not null,
    status              varchar not null,
    reason              varchar not null,
    item_count          bigint not null, -- items of the window, of every kind
    manifestation_count bigint not null,
    manifestation_share double,          -- of the channel
    undated_count       bigint not null
);

create table report_unread (             -- one row per report, channel and reason why something was not read or not counted
    report_id           varchar not null,
    channel             varchar not null,
    reason              varchar not null,
    position            integer not null,
    counted             boolean not null, -- true: inside manifestation_count; false: outside it
    item_count          bigint not null  -- items; sources for failed_source
);
