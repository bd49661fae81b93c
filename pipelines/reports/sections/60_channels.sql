-- The channels beside one another; shares are of each channel, never of their sum. Grain: named beside each query.

-- name: applies
-- A row if the city has more than one channel.
select 1 from report where report_id = $report_id having count(*) > 1

-- name: channels
-- One row per channel, the main one first.
select * from report where report_id = $report_id order by channel <> $channel, channel

-- name: categories
-- One row per category and channel, in the order of the main channel.
with main as (
    select
        category_id,
        category_id in ('otros', 'unclassified') as apart,
        row_number() over (order by category_id in ('otros', 'unclassified'), manifestation_count desc, position) as place
    from report_category
    where report_id = $report_id and channel = $channel
)

select c.*, r.manifestation_count as base, main.apart, main.place
from report_category as c
join report as r using (report_id, channel)
join main using (category_id)
where c.report_id = $report_id
order by main.place, c.channel <> $channel, c.channel

-- name: tones
-- One row per sentiment and channel.
select s.*, r.manifestation_count as base
from report_sentiment as s
join report as r using (report_id, channel)
where s.report_id = $report_id
order by s.sentiment, s.channel <> $channel, s.channel
