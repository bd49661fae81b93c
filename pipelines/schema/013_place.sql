-- Places, typical words, emerging matters, quotes, recommendations and what became of them. Grain: named beside each table.
-- No row is about a person: whatever would tell of fewer than five is summed into another row, is null or is left out.

create table report_place (              -- one row per report, channel and place that at least five persons named, and the rows below
    report_id           varchar not null,
    channel             varchar not null,
    position            integer not null,
    grouping            varchar not null, -- place; other: places that fewer named, together; none: no place named; textless: text stored no longer
    place_id            varchar,          -- null for other, none and textless
    place_name          varchar,
    place_kind          varchar,          -- zone, avenue, market ...
    zone_id             varchar,          -- the zone that it lies in, where the gazetteer says so
    latitude            double,           -- degrees; a rough point unless the gazetteer says surveyed
    longitude           double,
    approximate         boolean,          -- of the point
    category_id         varchar,          -- the category that most of it was read as; null if fewer than five persons are behind it
    manifestation_count bigint,           -- null where it would tell of one to four persons; a message may name several places
    manifestation_share double,           -- of the channel
    manifestation_low   double,
    manifestation_high  double,
    corrected           boolean not null
);

create table report_issue_place (        -- one row per report, channel and issue of which at least five persons named one place
    report_id           varchar not null,
    channel             varchar not null,
    category_id         varchar not null,
    issue_id            varchar not null,
    place_id            varchar not null, -- the one that most of its messages name
    place_name          varchar not null
);

create table report_word (               -- one row per report, channel, category, issue (null: the category as a whole) and position
    report_id           varchar not null,
    channel             varchar not null,
    category_id         varchar not null,
    issue_id            varchar,
    position            integer not null, -- 1, 2, 3 ... from the most typical
    word                varchar not null, -- a dictionary form that at least five persons of the group used
    weight              double not null   -- class-based tf-idf in parts of that of position 1, in (0, 1]
);

create table report_emerging (           -- one row per report, channel and cluster of texts that no category took
    report_id           varchar not null,
    channel             varchar not null,
    cluster_number      integer not null, -- 1, 2, 3 ... by persons
    manifestation_count bigint not null,
    person_count        bigint not null,  -- signed authors and unsigned writers, at least five
    source_count        bigint not null,
    one_source          boolean not null, -- four fifths or more come from one source
    first_day           date not null,    -- in the city's zone
    last_day            date not null,
    words               varchar[] not null -- from the most typical, each used by at least five of its persons
);

create table report_quote (              -- one row per report, channel and issue with something that at least five persons said alike
    report_id           varchar not null,
    channel             varchar not null,
    quote_id            varchar not null,
    category_id         varchar not null,
    issue_id            varchar not null,
    text                varchar,          -- pieces of at most seven words, at most 25 in all; null once the message was erased
    words               varchar[] not null, -- what the persons have in common: two typical words of the issue
    person_count        bigint not null,  -- who used both
    publisher_kind      varchar not null, -- of the source
    month               date not null     -- the first day of the month in which it was written, in the city's zone
);

create table quote_origin (              -- one row per quote and message that must be kept for it; never published
    report_id           varchar not null,
    quote_id            varchar not null,
    manifestation_id    varchar not null
);

create table report_action (             -- one row per report and recommendation that a person has filled in and an office has signed
    report_id           varchar not null,
    channel             varchar not null,
    position            integer not null,
    commitment_id       varchar not null,
    finding             varchar not null, -- category:ID, issue:CATEGORY.ISSUE or headline:NAME
    category_id         varchar,
    issue_id            varchar,
    evidence            varchar not null,
    office              varchar not null, -- who does it
    next_step           varchar not null,
    review_on           date not null,
    signed_by           varchar not null  -- the office that answers for the list
);

create table report_promise (            -- one row per report and signed recommendation of the period before: what the figures were and are
    report_id           varchar not null,
    channel             varchar not null,
    position            integer not null,
    commitment_id       varchar not null,
    finding             varchar not null,
    category_id         varchar,
    issue_id            varchar,
    office              varchar not null,
    next_step           varchar not null,
    review_on           date not null,
    signed_by           varchar not null,
    then_start          date not null,    -- first day of the period before
    then_end            date not null,    -- its last day, inclusive
    then_count          bigint,           -- null: no figure of that period is stored
    then_base           bigint,           -- of the channel; for an issue, of its category
    then_share          double,           -- of then_base
    then_low            double,
    then_high           double,
    now_count           bigint,
    now_base            bigint,
    now_share           double,
    now_low             double,
    now_high            double,
    corrected           boolean not null, -- both shares
    change              varchar not null  -- up, down, none: what the intervals tell apart; unknown: an interval or a figure is missing
);
