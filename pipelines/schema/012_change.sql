-- Change, influence, voices, headline and alerts of a report. Grain: named beside each; every row belongs to one report_id.

create table report_comparison (         -- one row per report and channel: with what it is compared, or why with nothing
    report_id                varchar not null,
    channel                  varchar not null,
    previous_start           timestamptz not null, -- inclusive
    previous_end             timestamptz not null, -- exclusive: the start of the report's window
    period_kind              varchar not null, -- day, week, month, quarter, or window
    standing                 varchar not null, -- compared, not_collected, not_read, nothing_counted or no_common_source
    unread_count             bigint not null, -- messages of the window before that the report's annotators have not read
    compared_source_count    bigint not null, -- sources read whole and as they used to be, in both windows
    lost_source_count        bigint not null,
    gained_source_count      bigint not null,
    previous_count           bigint not null, -- counted manifestations of the window before, of all sources
    previous_compared_count  bigint not null, -- of the compared sources
    current_compared_count   bigint not null,
    comparison_count         bigint not null  -- comparisons with an interval: Holm's correction is over so many
);

create table report_source_comparison (  -- one row per report and source of the city
    report_id      varchar not null,
    channel        varchar not null,
    source_id      varchar not null,
    standing       varchar not null,     -- compared; lost: well before, not now; gained: well now, not before; apart: in neither
    previous_count bigint not null,      -- counted manifestations
    current_count  bigint not null
);

create table report_change (             -- one row per report, compared channel, measure and key
    report_id        varchar not null,
    channel          varchar not null,
    measure          varchar not null,   -- category, sentiment: share of the channel; category_neg: negative share of a category; volume: messages a day
    key              varchar not null,   -- category, sentiment, or all
    previous_count   bigint not null,
    previous_base    bigint not null,    -- for volume, days
    previous_value   double,             -- null without a base
    current_count    bigint not null,
    current_base     bigint not null,
    current_value    double,
    total_change     double,             -- the sum of the four that follow; null without a value before or now
    within_change    double,             -- what the compared sources changed within themselves: like for like
    mix_change       double,             -- what their weights among one another changed
    lost_change      double,             -- what sources lost changed
    gained_change    double,
    within_low       double,             -- 95 % interval of within_change; null where too little was written
    within_high      double,
    p_value          double,
    p_adjusted       double,             -- by Holm, over all comparisons of the channel
    direction        varchar not null,   -- up or down only if the interval excludes zero and p_adjusted is under 0.05; else none
    within_lowest    double,             -- of within_change without one compared source
    within_highest   double,
    moving_source_id varchar,            -- the source whose absence moves it most
    corrected        boolean not null    -- both values were corrected for the model's errors
);

create table report_influence (          -- one row per report, channel, measure (category, sentiment, category_neg) and key
    report_id         varchar not null,
    channel           varchar not null,
    measure           varchar not null,
    key               varchar not null,
    share             double,            -- of all sources, as read
    lowest_without    double,            -- the lowest share that leaving out one source gives; null with fewer than two sources
    lowest_source_id  varchar,
    highest_without   double,
    highest_source_id varchar,
    moving_source_id  varchar            -- the source whose absence moves the share most
);

create table report_voice (              -- one row per report, channel and category, and one for the whole channel
    report_id           varchar not null,
    channel             varchar not null,
    category_id         varchar,         -- null: the whole channel
    manifestation_count bigint not null,
    distinct_text_count bigint not null,
    voice_count         bigint not null, -- distinct signed authors, within their source
    unsigned_count      bigint not null,
    top_tenth_share     double           -- share of the signed manifestations by the most active tenth; null under 30 voices
);

create table report_headline (           -- one row per report, channel and finding, in the order in which the page tells them
    report_id          varchar not null,
    channel            varchar not null,
    position           integer not null, -- 1, 2, 3: the first screen; those that follow had no place there
    finding_id         varchar not null, -- digest of what the finding is about, stable from report to report
    message            varchar not null, -- id of its wording
    measure            varchar not null, -- category, sentiment, category_neg, volume, unread or none
    key                varchar,
    manifestation_count bigint,
    base               bigint,
    tied_count         bigint not null,
    share              double,
    low                double,
    high               double,
    corrected          boolean not null,
    direction          varchar not null, -- up, down, none; unknown: not compared
    previous_value     double,
    current_value      double,
    change             double,           -- like for like; shares in [0, 1], volume in messages a day
    change_low         double,
    change_high        double,
    lowest_without     double,           -- of the change where the finding is one, else of the share
    highest_without    double,
    moving_source_id   varchar           -- the source whose absence moves it most
);

create table report_alert (              -- one row per report, channel and alert
    report_id      varchar not null,
    channel        varchar not null,
    position       integer not null,     -- the least expected first
    measure        varchar not null,     -- category, issue or source
    key            varchar not null,
    direction      varchar not null,     -- up or down
    first_day      date not null,        -- the seven days, or the window if it is shorter
    last_day       date not null,
    item_count     bigint not null,
    expected_low   bigint not null,      -- what history explains, at the report's rate of false alarms
    expected_high  bigint not null,
    expected_mean  double not null,
    history_days   bigint not null,
    p_value        double not null
);

create table report_watch (              -- one row per report and channel: what alerts looked at
    report_id          varchar not null,
    channel            varchar not null,
    standing           varchar not null, -- watched, short_history or short_window
    history_first      date,
    history_days       bigint not null,
    series_count       bigint not null,  -- categories, issues and sources that were watched
    alarm_rate         double not null   -- chance of any false alarm in seven days, over all series of the channel
);
