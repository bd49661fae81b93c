-- Texts that many passed on. Grain: one row per report, channel and campaign: a text with small edits, written by at least five
-- signed authors or unsigned writers. No text, no author, and no count of fewer than five persons or of a category in fewer than five.

alter table report add column textless_count bigint default 0; -- counted manifestations whose text is stored no longer: compared by digest

create table report_campaign (
    report_id           varchar not null,
    channel             varchar not null,
    campaign_number     integer not null, -- 1, 2, 3 ... by size
    manifestation_count bigint not null,
    distinct_text_count bigint not null,  -- texts that differ in more than case, accents and spaces
    voice_count         bigint,           -- distinct signed authors, within their source; null if they are one to four
    unsigned_count      bigint,           -- null where it would give voice_count away
    source_count        bigint not null,
    first_day           date not null,    -- in the city's zone
    last_day            date not null,
    categories          varchar not null  -- JSON: category -> manifestations, as read; categories in fewer than five are left out
);
