-- How many persons stand behind each figure of a report, and where it is not told. Grain: one row per report, channel and cell.
-- This table decides what may leave the warehouse; it never leaves it itself.

create table report_cell (
    report_id           varchar not null,
    channel             varchar not null,
    cell_table          varchar not null, -- category, sentiment, category_sentiment, issue, rollup, day_sentiment or unread
    cell_key            varchar not null, -- what names the cell within its table, parts separated by /
    manifestation_count bigint not null,
    person_count        bigint not null,  -- distinct signed authors within their source, and every unsigned item as one
    suppressed_internal boolean not null, -- not told in pages, workbooks and the published copy: under 5 persons, or it would give such a cell away
    suppressed_open     boolean not null  -- not told in open data either: the same with 11
);
